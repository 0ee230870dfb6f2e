"""Which files of a package a function never reads. Measured: pyarrow alone goes from 164 to 100 MB."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_NEVER = (
    "*.pyi", "*.pyx", "*.pxd", "*.pxi", "*.h", "*.hpp", "*.c", "*.cc", "*.cpp", "*.cmake", "*.exe",
    "*/__pycache__/*", "*/tests/*", "*.dist-info/RECORD", "*.dist-info/sboms/*",
)  # fmt: skip
_OF_PACKAGES = (
    "pyarrow/include/*", "pyarrow/src/*",
    "pyarrow/*flight*", "pyarrow/*gandiva*", "pyarrow/*_orc.*", "pyarrow/*_azurefs.*", "pyarrow/*_gcsfs.*",
    "pyarrow/*_hdfs.*", "pyarrow/*_pyarrow_cpp_tests.*", "pyarrow/*cuda*",
    "duckdb/experimental/*", "adbc_driver_duckdb/*", "_duckdb-stubs/*",
    "pydantic/v1/*", "pydantic/mypy.py",
    "aws_lambda_powertools/event_handler/*",
)  # fmt: skip
"""libarrow_substrait stays: everything else of pyarrow is linked with it."""
_UNVERSIONED = re.compile(r"pyarrow/libarrow_python\w*\.so(\.\d+\.\d+\.\d+)?\Z")
"""A wheel has no links: the same library lies there under three names, and ``….so.2600`` is linked with."""
_OTHER_UTILITIES = re.compile(
    r"aws_lambda_powertools/utilities/(?!__init__|batch/|data_classes/|jmespath_utils/|typing/)"
)
"""Logs, figures and batches are what is used of Powertools."""
_LOCALES = re.compile(r"babel/locale-data/(?!root\.|en(_US)?\.)")


_ONLY_READERS = ("pyarrow/libarrow_s3.*", "pyarrow/_s3fs.*")
"""S3 inside pyarrow: whoever reads tables has it, whoever only writes them sends files with boto3."""
_LEFT_OUT = {"receiver": _ONLY_READERS, "writer": _ONLY_READERS, "janitor": ()}


def is_kept(path: str, bundle: str) -> bool:
    """Whether a bundle has this file, named as below ``site-packages``."""
    if any(fnmatchcase(path, pattern) for pattern in (*_NEVER, *_OF_PACKAGES, *_LEFT_OUT[bundle])):
        return False
    return not (_UNVERSIONED.match(path) or _LOCALES.match(path) or _OTHER_UTILITIES.match(path))
