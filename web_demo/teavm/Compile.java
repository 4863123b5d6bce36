import java.io.File;
import org.teavm.backend.javascript.JSModuleType;
import org.teavm.tooling.ConsoleTeaVMToolLog;
import org.teavm.tooling.TeaVMTargetType;
import org.teavm.tooling.TeaVMTool;
import org.teavm.vm.TeaVMOptimizationLevel;

/** Compiles the classes on the class path to one script: main class, folder, file. */
public final class Compile {
    private Compile() {}

    public static void main(String[] words) throws Exception {
        TeaVMTool tool = new TeaVMTool();
        tool.setTargetType(TeaVMTargetType.JAVASCRIPT);
        tool.setJsModuleType(JSModuleType.UMD);
        tool.setOptimizationLevel(TeaVMOptimizationLevel.ADVANCED);
        tool.setObfuscated(true);
        tool.setMainClass(words[0]);
        tool.setTargetDirectory(new File(words[1]));
        tool.setTargetFileName(words[2]);
        tool.setLog(new ConsoleTeaVMToolLog(false));
        tool.generate();
        tool.getProblemProvider().getSevereProblems().forEach(problem -> {
            System.err.println(problem.getText() + " " + java.util.Arrays.toString(problem.getParams())
                    + " " + problem.getLocation());
        });
        System.exit(tool.getProblemProvider().getSevereProblems().isEmpty() ? 0 : 1);
    }
}
