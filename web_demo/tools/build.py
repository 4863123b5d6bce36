"""Build the web site and the npm package.

    python web_demo/tools/build.py
    apt install $(python web_demo/tools/build.py --packages)    what the tests need besides

makes build/web/site, a folder that any static host serves, and build/web/asmnet-VERSION.tgz, the
package for other people's pages (it is also site/asmnet).  The Java core is compiled by TeaVM; its
jars come by Maven, LiteRT.js by npm, all of them checked against their SHA-256.

Exit codes: 0 built, 1 a tool refused the sources, 2 something is missing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(WEB.parent / "android_demo/tools"))
import compilers  # noqa: E402
from toolchain import (  # noqa: E402
    CACHE,
    PACKAGES,
    REPOSITORY,
    BuildError,
    StepError,
    digest,
    main,
    project_version,
    replacing,
    require,
    run,
    step,
    unpacked,
)

BUILD = REPOSITORY / "build/web"
SITE = BUILD / "site"
PACKAGE = SITE / "asmnet"
JARS = CACHE / "teavm"
MODELS = (
    "asmnet-spatial-68-112-int8.tflite",
    "asmnet-spatial-68-160-int8.tflite",
    "asmnet-spatial-98-160-int8.tflite",
    "face_detection_short_range.tflite",
    "face_detection_yunet.tflite",
)
FIRST_MODELS = ("asmnet-spatial-68-112-int8.tflite", "face_detection_short_range.tflite")
# The build with relaxed SIMD, and the one for engines without.
LITERT = ("litert_wasm_internal", "litert_wasm_compat_internal")
# Command, or one that serves as well -> Debian package, for building and for the tests.
NEEDED = {
    **{name: PACKAGES[name] for name in ("java", "javac", "mvn", "npm")},
    "node": "nodejs",
    "chromium google-chrome": "chromium",
    "firefox-esr firefox": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "xvfb-run": "xvfb",
    "xauth": "xauth",
}
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def build() -> None:
    """Build site and package, and say what came out."""
    require("java", "javac", "mvn", "npm")
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".build.") as temporary:
        work = Path(temporary)
        with step("fetch TeaVM and LiteRT.js"):
            path = [*jars()]
            litert = unpacked("litert-js") / "package/wasm"
        with step("compile the core to JavaScript"):
            compile_core(path, work)
        with step("put the package together"):
            fill_package(work / "site/asmnet", work / "core.js", litert)
            fill_site(work / "site")
            packed = run("npm", "pack", "--silent", work / "site/asmnet", cwd=work).strip()
        (work / packed).replace(BUILD / packed)
        shutil.rmtree(SITE, ignore_errors=True)
        (work / "site").replace(SITE)
    print(f"\n{SITE.relative_to(REPOSITORY)}   try: python -m http.server -d {SITE} 8000")
    print(f"{(BUILD / packed).relative_to(REPOSITORY)}   {(BUILD / packed).stat().st_size:,} bytes")


def jars() -> list[Path]:
    """TeaVM and what it needs, as teavm/pom.xml names them, each checked."""
    listed = (WEB / "teavm/jars.sha256").read_text().split()
    wanted = dict(zip(listed[1::2], listed[::2], strict=True))
    if not all((JARS / name).exists() for name in wanted):
        with replacing(JARS) as new:
            shutil.rmtree(JARS, ignore_errors=True)
            try:
                run(
                    *("mvn", "--batch-mode", "--quiet", "--file", WEB / "teavm/pom.xml"),
                    *(MAVEN_COPY, f"-DoutputDirectory={new}"),
                )
            except StepError as reason:
                raise BuildError(
                    "TeaVM cannot be had by mvn; try again, or put the files of "
                    f"{WEB / 'teavm/jars.sha256'} into {JARS} ({str(reason).splitlines()[-1]})"
                ) from None
    for name, sha256 in wanted.items():
        if (found := digest(JARS / name)) != sha256:
            raise BuildError(
                f"{name} has SHA-256 {found}, not the pinned {sha256}; do not use it, delete "
                f"{JARS} and try another registry"
            )
    return [JARS / name for name in wanted]


def compile_core(path: list[Path], work: Path) -> None:
    """Compile core and exports to `work`/core.js."""
    core, exports = work / "core", work / "exports"
    compilers.core(core)
    compilers.javac(compilers.sources(WEB / "java", ".java"), exports, [core, *path])
    run(
        *(*compilers.JVM, "-cp", compilers.class_path([exports, core, *path])),
        *(WEB / "teavm/Compile.java", "org.asmnet.web.Exports", work, "core.js"),
        name="TeaVM",
    )


def fill_package(folder: Path, core: Path, litert: Path) -> None:
    """Make the npm package in a folder."""
    shutil.copytree(WEB / "package", folder)
    shutil.copy(core, folder)
    shutil.copy(REPOSITORY / "LICENSE", folder)
    for kind in ("models", "litert"):
        (folder / kind).mkdir()
    for name in MODELS:
        shutil.copy(REPOSITORY / "models" / name, folder / "models")
    for name in LITERT:
        for suffix in (".js", ".wasm"):
            shutil.copy(litert / (name + suffix), folder / "litert")
    description = json.loads((folder / "package.json").read_text())
    description["version"] = project_version()
    (folder / "package.json").write_text(json.dumps(description, indent=2) + "\n")


def fill_site(site: Path) -> None:
    """Put the page beside the package, and the list of files that work offline."""
    shutil.copytree(WEB / "page", site, dirs_exist_ok=True)
    shutil.copy(REPOSITORY / "samples/clip/faces.mp4", site)
    files = sorted(path for path in site.rglob("*") if path.is_file())
    sums = hashlib.sha256(b"".join(bytes.fromhex(digest(path)) for path in files)).hexdigest()
    # A browser runs one build of LiteRT, and stores models and clip when they are first used.
    later = ("litert/", "faces.mp4", ".md", ".d.ts", "package.json", "sw.js")
    later += tuple(set(MODELS) - set(FIRST_MODELS))
    names = [path.relative_to(site).as_posix() for path in files]
    first = ["./", *(name for name in names if not any(word in name for word in later))]
    (site / "files.js").write_text(
        f"self.VERSION = {json.dumps(sums[:16])};\nself.FILES = {json.dumps(first, indent=2)};\n"
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--packages"]:
        lacking = [names for names in NEEDED if not any(map(shutil.which, names.split()))]
        print(*sorted({NEEDED[names] for names in lacking}))
    else:
        main(build)
