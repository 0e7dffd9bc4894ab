"""Compiles HLSL with Microsoft's compiler: python3 dxc.py LIBDXCOMPILER FOLDER TAKEN. Prints what it refuses, and lists in the
file TAKEN what it takes.

The interfaces are those of dxcapi.h (https://github.com/microsoft/DirectXShaderCompiler). Off Windows an object's table of
functions has two destructors behind the three of IUnknown.
"""

import ctypes
import pathlib
import re
import sys
import uuid

COMPILER = "73e22d93-e6ce-47f3-b5bf-f0664f39c1b0"
INTERFACE = "228b4687-5a6a-4730-900c-9702b2203f54"
RESULT = "58346cda-dde7-4497-9461-6f87af5e0659"
UTF8 = 65001
# Places in the tables of functions.
RELEASE, FIRST = 2, 5
COMPILE = FIRST
STATUS, ERRORS = FIRST, FIRST + 2
POINTER, SIZE = FIRST, FIRST + 1


class Source(ctypes.Structure):
    _fields_ = [("pointer", ctypes.c_char_p), ("size", ctypes.c_size_t), ("encoding", ctypes.c_uint32)]


def guid(text):
    return (ctypes.c_char * 16).from_buffer_copy(uuid.UUID(text).bytes_le)


def call(target, place, *arguments, returns=ctypes.c_int32):
    table = ctypes.cast(ctypes.cast(target, ctypes.POINTER(ctypes.c_void_p))[0], ctypes.POINTER(ctypes.c_void_p))
    kinds = [ctypes.c_void_p] + [ctypes.c_void_p if argument is None else type(argument) for argument in arguments]
    return ctypes.CFUNCTYPE(returns, *kinds)(table[place])(target, *arguments)


def compiled(compiler, text, entry):
    """Nothing, or what the compiler says."""
    words = ["-T", "cs_6_0", "-E", entry]
    flags = (ctypes.c_wchar_p * len(words))(*words)
    source = Source(text, len(text), UTF8)
    result = ctypes.c_void_p()
    call(
        compiler, COMPILE, ctypes.pointer(source), ctypes.cast(flags, ctypes.c_void_p), ctypes.c_uint32(len(words)), None,
        ctypes.cast(guid(RESULT), ctypes.c_void_p), ctypes.pointer(result),
    )
    status = ctypes.c_int32()
    call(result, STATUS, ctypes.pointer(status))
    said = ""
    if status.value:
        blob = ctypes.c_void_p()
        call(result, ERRORS, ctypes.pointer(blob))
        size = call(blob, SIZE, returns=ctypes.c_size_t)
        said = ctypes.string_at(call(blob, POINTER, returns=ctypes.c_void_p), size).decode(errors="replace")
        call(blob, RELEASE)
    call(result, RELEASE)
    return said


def main():
    library, folder, taken = sys.argv[1:]
    compiler = ctypes.c_void_p()
    create = ctypes.CDLL(library).DxcCreateInstance
    code = create(guid(COMPILER), guid(INTERFACE), ctypes.byref(compiler))
    if code:
        sys.exit(f"error: {library} gave no compiler: {code:#x}")
    names = []
    for file in sorted(pathlib.Path(folder).glob("*.hlsl")):
        text = file.read_bytes()
        # A name that is a word of HLSL gets a tail.
        entry = re.search(rb"\[numthreads\([^)]*\)\]\s*void (\w+)\(", text)[1].decode()
        said = compiled(compiler, text, entry)
        if said:
            print(f"{file.name}: {said.strip()}")
        else:
            names.append(file.name)
    pathlib.Path(taken).write_text("".join(f"{name}\n" for name in names))


if __name__ == "__main__":
    main()
