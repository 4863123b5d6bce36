package org.asmnet.gradle;

import javax.inject.Inject;
import org.gradle.api.DefaultTask;
import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.file.FileSystemOperations;
import org.gradle.api.tasks.InputFiles;
import org.gradle.api.tasks.OutputDirectory;
import org.gradle.api.tasks.PathSensitive;
import org.gradle.api.tasks.PathSensitivity;
import org.gradle.api.tasks.TaskAction;
import org.gradle.work.DisableCachingByDefault;

/** Takes a few files of the repository as assets: git holds each once, and float networks stay out. */
@DisableCachingByDefault(because = "It only copies")
public abstract class CopyAssets extends DefaultTask {
    @InputFiles
    @PathSensitive(PathSensitivity.NAME_ONLY)
    public abstract ConfigurableFileCollection getFiles();

    @OutputDirectory
    public abstract DirectoryProperty getFolder();

    @Inject
    protected abstract FileSystemOperations getSystem();

    @TaskAction
    public void copy() {
        getSystem().sync(copy -> copy.from(getFiles()).into(getFolder()));
    }
}
