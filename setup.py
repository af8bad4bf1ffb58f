"""The extension modules; everything else about the package is in pyproject.toml."""

from __future__ import annotations

import os
import sys
from glob import glob

from Cython.Build import cythonize
from Cython.Distutils import Extension, build_ext
from setuptools import setup


class BuildExtension(build_ext):
    """Compile with the flags of the compiler at hand; say what it means if that fails.

    As many compilers run at a time as there are processors, but Cython, which is one program with
    this, has read everything before.
    """

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self) -> None:
        for ext in self.extensions:
            (made,) = cythonize(ext, compiler_directives=ext.cython_directives)
            ext.sources = made.sources
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        if self.compiler.compiler_type != "msvc":
            ext.extra_compile_args = ["-std=c11", "-fvisibility=hidden"]
            if "-O" not in os.environ.get("CFLAGS", ""):
                ext.extra_compile_args.append("-O3")
            # Vector code for a handful of stores to the tape only delays them.
            ext.extra_compile_args += ["-fno-tree-slp-vectorize"]
            if sys.platform == "linux":
                # A stanza takes some 25 calls into the interpreter; each is a jump shorter.
                ext.extra_compile_args += ["-fno-plt"]
        try:
            super().build_extension(ext)
        except Exception as error:
            self.warn(
                f"{ext.name} could not be compiled ({error}). xmppfast will work without it, on "
                "its slower backend 'expat'; for the compiled one, install a C compiler and "
                "Python's headers, and install xmppfast again."
            )
            raise  # setuptools goes on after an optional extension's failure


def extension(module: str, sources: list[str]) -> Extension:
    """A Cython module, by its path in the package, with the C files it needs."""
    return Extension(
        f"xmppfast.{module}".replace("/", "."),
        sources=[f"xmppfast/{module}.pyx", *sources],
        include_dirs=["src_c"],
        depends=[
            *sorted(glob("xmppfast/*/*.px[di]")),
            *sorted(glob("src_c/*.h")),
            "src_c/errors.def",
        ],
        optional=True,
        cython_directives={"language_level": "3", "freethreading_compatible": True},
    )


EXTENSIONS = [
    extension("xml/_tokenizer", sorted(glob("src_c/*.c"))),
    extension("xml/_writer", ["src_c/names.c"]),
    extension("adapters/_reader", []),
    extension("adapters/_etree", []),
    extension("adapters/_domish", []),
    extension("adapters/_expat", []),
    extension("adapters/_domish_writer", []),
    extension("adapters/_nbxmpp", []),
    extension("adapters/_sax", []),
    extension("adapters/_slixmpp_writer", []),
]
if sys.platform == "linux":  # for its clock, and sockets that are files
    EXTENSIONS += [extension("load/_pair", []), extension("transport/_outlet", [])]

setup(
    # PyPy runs the backend on pyexpat faster than it calls a C extension.
    ext_modules=EXTENSIONS if sys.implementation.name == "cpython" else [],
    cmdclass={"build_ext": BuildExtension},
)
