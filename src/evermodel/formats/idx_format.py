"""The files of MNIST: gzipped IDX arrays of bytes (LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist)."""

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError

# Images and labels of each split, as every data set in this form names them.
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
BYTES = 8  # the code of unsigned bytes, the third byte of a file; the fourth is the number of dimensions
LIMIT = 1 << 30  # bytes of an unpacked array: twenty times MNIST, and still no harm to a laptop
BLOCK = 0xFFFF  # bytes, the most that a stored block holds


def load_array(file: Path, dimensions: int) -> Array:
    """The uint8 array in a gzipped IDX file.

    Raises EvermodelError if it is cut off, corrupt, of another type or number of dimensions, or too large.
    """
    try:
        with gzip.open(file) as stream:
            magic, *shape = struct.unpack(f">{1 + dimensions}I", stream.read(4 + 4 * dimensions))
            if magic != BYTES << 8 | dimensions:
                raise EvermodelError(
                    f"{file} is no IDX file of {dimensions}-dimensional bytes ({magic:#010x}); fetch another"
                )
            if (size := math.prod(shape)) > LIMIT:
                raise EvermodelError(f"{file} claims to hold {size} bytes; give {LIMIT} at most")
            content = stream.read(size)
            if len(content) < size or stream.read(1):  # at the end, gzip compares its checksum
                raise EvermodelError(
                    f"{file} does not hold the {size} bytes of its shape {tuple(shape)}; fetch it again"
                )
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise EvermodelError(f"{file} is cut off or corrupt ({error}); fetch it again") from None
    return np.frombuffer(content, np.uint8).reshape(shape)


def save(folder: Path, splits: Mapping[str, tuple[Array, Array]]) -> None:
    """Write the four files of a data set: the images (n, height, width) and labels (n,) of each split."""
    for split, arrays in splits.items():
        for name, array in zip(FILES[split], arrays, strict=True):
            save_array(folder / name, array)


def save_array(file: Path, array: Array) -> None:
    """Write a uint8 array as a gzipped IDX file; the same array gives the same bytes on every machine."""
    header = struct.pack(f">{1 + array.ndim}I", BYTES << 8 | array.ndim, *array.shape)
    file.write_bytes(_gzip(header + array.tobytes()))


def _gzip(content: bytes) -> bytes:
    """Content in gzip's frame (RFC 1952) as stored blocks (RFC 1951, 3.2.4).

    It is not compressed because zlib and zlib-ng, one of which each Python is built with, do so differently.
    """
    blocks = []
    for start in range(0, len(content), BLOCK):
        block = content[start : start + BLOCK]
        last = start + BLOCK >= len(content)
        blocks.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block)
    header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # deflate, no time, no operating system
    return header + b"".join(blocks) + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
