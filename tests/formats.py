"""Writes the files of tests/data/formats: one small table in every format, and Parquet's types in all codecs and encodings.

Needs pyarrow and numpy. `python3 tests/formats.py FOLDER` writes them to FOLDER (tests/data/formats by default), with
`expected.json`: for each file the columns, their kinds and all cells in the form that gradlane prints.
"""

import datetime as dt
import decimal
import gzip
import json
import pathlib
import struct
import sys
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "data" / "formats")
EXPECTED = {}

UTC = dt.timezone.utc
DAY = dt.date(1970, 1, 1)


def seconds(moment):
    """Seconds since 1970, as text in the form that gradlane prints."""
    whole = moment - dt.datetime(1970, 1, 1)
    return number((whole.days * 86400 + whole.seconds) + whole.microseconds * 1000 * 1e-9)


def number(value):
    """A number in the form that gradlane prints."""
    if value is None or value != value:
        return None
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else repr(float(value))


def column(kind, values, text=number):
    return {"kind": kind, "cells": [None if value is None else text(value) for value in values]}


# Types of Parquet: name -> (Arrow type, values, kind, text of a value).
MOMENTS = [dt.datetime(2024, 2, 29, 12, 30, 15, 500_000), None, dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(1970, 1, 1)]
WHOLE = [1, None, -7, 0]
TEXTS = ["rot", None, "grün", "rot"]
TYPES = {
    "bool": (pa.bool_(), [True, None, False, True], "text", lambda v: "true" if v else "false"),
    "i8": (pa.int8(), WHOLE, "number", number),
    "i16": (pa.int16(), WHOLE, "number", number),
    "i32": (pa.int32(), WHOLE, "number", number),
    "i64": (pa.int64(), [2**40, None, -7, 0], "number", number),
    "u8": (pa.uint8(), [255, None, 1, 0], "number", number),
    "u16": (pa.uint16(), [65535, None, 1, 0], "number", number),
    "u32": (pa.uint32(), [2**32 - 1, None, 1, 0], "number", number),
    "u64": (pa.uint64(), [2**63, None, 1, 0], "number", number),
    "f16": (pa.float16(), [np.float16(0.5), None, np.float16(-2), np.float16(65504)], "number", number),
    "f32": (pa.float32(), [0.5, None, -2.25, float("nan")], "number", number),
    "f64": (pa.float64(), [0.1, None, -1e-9, float("nan")], "number", lambda v: "-1e-9" if v == -1e-9 else number(v)),
    "decimal": (pa.decimal128(9, 2), [decimal.Decimal("1.25"), None, decimal.Decimal("-0.07"), decimal.Decimal(3)], "number",
                lambda v: number(float(v))),
    "decimal_long": (pa.decimal128(38, 10), [decimal.Decimal("12345678901234567890.0123456789"), None, decimal.Decimal("-0.5"),
                                             decimal.Decimal(0)], "number", lambda v: number(float(v))),
    "text": (pa.string(), TEXTS, "text", str),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), TEXTS, "text", str),
    "text_of_numbers": (pa.string(), ["1.5", None, "NA", "2"], "number", lambda v: None if v == "NA" else number(float(v))),
    "binary": (pa.binary(), [b"a", None, b"bc", b"a"], "text", lambda v: v.decode()),
    "date": (pa.date32(), [dt.date(2024, 2, 29), None, dt.date(1969, 12, 31), DAY], "date", lambda v: number((v - DAY).days)),
    "seconds": (pa.timestamp("s"), [m and m.replace(microsecond=0) for m in MOMENTS], "date", seconds),
    "milliseconds": (pa.timestamp("ms"), MOMENTS, "date", seconds),
    "microseconds": (pa.timestamp("us"), MOMENTS, "date", seconds),
    "nanoseconds": (pa.timestamp("ns"), MOMENTS, "date", seconds),
    "utc": (pa.timestamp("us", tz="UTC"), [m and m.replace(tzinfo=UTC) for m in MOMENTS], "date",
            lambda v: seconds(v.replace(tzinfo=None))),
    "time32": (pa.time32("ms"), [dt.time(10, 30), None, dt.time(0, 0, 1, 500_000), dt.time(23, 59)], "date",
               lambda v: number(v.hour * 3600 + v.minute * 60 + v.second + v.microsecond * 1e-6)),
    "time64": (pa.time64("us"), [dt.time(10, 30), None, dt.time(0, 0, 1, 500_000), dt.time(23, 59)], "date",
               lambda v: number(v.hour * 3600 + v.minute * 60 + v.second + v.microsecond * 1e-6)),
    "nothing": (pa.null(), [None, None, None, None], "number", number),
}
REQUIRED = ("i32", "f64", "text", "date")


def types_table():
    """All types; some also in a required column, which has no missing values."""
    fields, arrays, expected = [], [], []
    for name, (kind_of, values, kind, text) in TYPES.items():
        fields.append(pa.field(name, kind_of))
        arrays.append(pa.array(values, kind_of))
        expected.append({"name": name, **column(kind, values, text)})
    for name in REQUIRED:
        kind_of, values, kind, text = TYPES[name]
        values = [values[0] if value is None else value for value in values]
        fields.append(pa.field(name + "_required", kind_of, nullable=False))
        arrays.append(pa.array(values, kind_of))
        expected.append({"name": name + "_required", **column(kind, values, text)})
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields)), expected


def write(name, table, expected, **options):
    pq.write_table(table, FOLDER / name, **options)
    EXPECTED[name] = {"columns": expected}


def parquet_types():
    table, expected = types_table()
    plain = dict(use_dictionary=False, compression="none")
    for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
        for page in ["1.0", "2.0"]:
            write(f"types_{codec}_v{page[0]}.parquet", table, expected, compression=codec, data_page_version=page)
    write("types_plain.parquet", table, expected, **plain)
    write("types_groups.parquet", table, expected, row_group_size=3, compression="snappy")
    write("types_old.parquet", table.drop_columns(["nanoseconds"]), [c for c in expected if c["name"] != "nanoseconds"],
          version="1.0", use_deprecated_int96_timestamps=True, store_schema=False)
    integers = ["i32", "i64", "i32_required", "date", "microseconds"]
    floats = ["f32", "f64", "i32", "i64", "decimal_long"]
    texts = ["text", "binary", "text_required"]
    for encoding, names in [("DELTA_BINARY_PACKED", integers), ("BYTE_STREAM_SPLIT", floats),
                            ("DELTA_LENGTH_BYTE_ARRAY", texts), ("DELTA_BYTE_ARRAY", texts), ("RLE", ["bool"])]:
        chosen = [c for name in names for c in expected if c["name"] == name]
        write(f"encoding_{encoding.lower()}.parquet", table.select(names), chosen, **plain, data_page_version="2.0",
              column_encoding={name: encoding for name in names})


def refused():
    """Files that must be refused, each with a part of the message."""
    lists = pa.table({"a": [1, 2], "tags": pa.array([["x"], []], pa.list_(pa.string()))})
    groups = pa.table({"g": pa.array([{"x": 1}, {"x": 2}])})
    raw = pa.table({"b": pa.array([b"\xff\xfe", b"\x00\x01"], pa.binary(2))})
    other = pa.table({"b": pa.array([b"a", b"\xff"], pa.binary())})
    for name, table, message in [("list.parquet", lists, "tags.list.element\": nested values"),
                                 ("group.parquet", groups, "g.x\": nested values"),
                                 ("fixed_bytes.parquet", raw, "values of type raw bytes"),
                                 ("bytes.parquet", other, "row 2, column \"b\": expected UTF-8 text"),
                                 ("no_rows.parquet", raw.slice(0, 0).drop_columns(["b"]).append_column("a", pa.array([], pa.int32())),
                                  "expected rows of data")]:
        pq.write_table(table, FOLDER / name)
        EXPECTED[name] = {"error": message}
    np.save(FOLDER / "objects.npy", np.array([1, "a", None], dtype=object), allow_pickle=True)
    EXPECTED["objects.npy"] = {"error": "Python objects"}
    np.save(FOLDER / "complex.npy", np.array([1j]))
    EXPECTED["complex.npy"] = {"error": "complex"}
    np.save(FOLDER / "fields.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
    EXPECTED["fields.npy"] = {"error": "structured"}
    np.savez(FOLDER / "unequal.npz", a=np.arange(3), b=np.arange(4))
    EXPECTED["unequal.npz"] = {"error": "found a (3), b (4)"}


def numpy_types():
    numbers = {"i1": [1, -7, 0, 3], "i2": [1, -7, 0, 300], "i4": [1, -7, 0, 70000], "i8": [2**40, -7, 0, 3],
               "u1": [255, 0, 1, 2], "u2": [65535, 0, 1, 2], "u4": [2**32 - 1, 0, 1, 2], "u8": [2**63, 0, 1, 2],
               "f2": [0.5, -2, 0, 65504], "f4": [0.5, -2.25, 0, float("nan")], "f8": [0.1, -2.25, 0, float("nan")]}
    arrays, expected = {}, []
    for name, values in numbers.items():
        for order, suffix in [("<", ""), (">", "_big")]:
            arrays[name + suffix] = np.array(values, dtype=order + name)
            expected.append({"name": name + suffix, **column("number", values)})
    arrays["b1"] = np.array([True, False, True, True])
    expected.append({"name": "b1", **column("text", [True, False, True, True], lambda v: "true" if v else "false")})
    texts = ["rot", "grün", "", "rot"]
    arrays["U"], arrays["U_big"] = np.array(texts), np.array(texts, dtype=">U4")
    for name in ["U", "U_big"]:
        expected.append({"name": name, **column("text", texts, lambda v: v or None)})
    arrays["S"] = np.array([b"a", b"bc", b"", b"a"])
    expected.append({"name": "S", **column("text", ["a", "bc", "", "a"], lambda v: v or None)})
    arrays["M_day"] = np.array(["2024-02-29", "1969-12-31", "NaT", "1970-01-01"], dtype="M8[D]")
    expected.append({"name": "M_day", "kind": "date", "cells": ["19782", "-1", None, "0"]})
    arrays["M_ms"] = np.array(["2024-02-29T12:30:15.5", "1969-12-31T23:59:59", "NaT", "1970-01-01"], dtype="M8[ms]")
    expected.append({"name": "M_ms", "kind": "date", "cells": ["1709209815.5", "-1", None, "0"]})
    np.savez(FOLDER / "types.npz", **arrays)
    np.savez_compressed(FOLDER / "types_packed.npz", **arrays)
    EXPECTED["types.npz"] = EXPECTED["types_packed.npz"] = {"columns": expected}

    x, y = np.array([[1.5, 2], [3, 4], [5, 6]]), np.array(["a", "b", "a"])
    np.savez(FOLDER / "x_y.npz", X=x, y=y)
    pairs = [column("number", x[:, 0]), column("number", x[:, 1])]
    label = {"name": "y", **column("text", list(y), str)}
    EXPECTED["x_y.npz"] = {"columns": [{"name": "c0", **pairs[0]}, {"name": "c1", **pairs[1]}, label]}
    np.savez(FOLDER / "x_y_names.npz", X=x, y=y, feature_names=np.array(["width", "height"]))
    EXPECTED["x_y_names.npz"] = {"columns": [{"name": "width", **pairs[0]}, {"name": "height", **pairs[1]}, label]}
    matrix = {"columns": [{"name": "c0", **pairs[0]}, {"name": "c1", **pairs[1]}]}
    np.savez(FOLDER / "one.npz", table=x)
    for name, array in [("rows.npy", x), ("columns.npy", np.asfortranarray(x)), ("big.npy", x.astype(">f4"))]:
        np.save(FOLDER / name, array)
        EXPECTED[name] = matrix
    EXPECTED["one.npz"] = matrix
    (FOLDER / "rows.npy.gz").write_bytes(gzip.compress((FOLDER / "rows.npy").read_bytes(), mtime=0))
    EXPECTED["rows.npy.gz"] = matrix
    np.save(FOLDER / "cube.npy", np.arange(12, dtype="i2").reshape(3, 2, 2))
    EXPECTED["cube.npy"] = {"columns": [{"name": f"c{c}", **column("number", [c, c + 4, c + 8])} for c in range(4)]}


def idx_types():
    for code, name, values in [(9, "i1", [1, -7, 0, 3]), (11, "i2", [1, -7, 0, 300]), (12, "i4", [1, -7, 0, 70000]),
                               (13, "f4", [0.5, -2.25, 0, 1]), (14, "f8", [0.1, -2.25, 0, 1])]:
        data = struct.pack(">BBBBII", 0, 0, code, 2, 2, 2) + np.array(values, dtype=">" + name).tobytes()
        (FOLDER / f"{name}.idx").write_bytes(data)
        EXPECTED[f"{name}.idx"] = {"columns": [{"name": "c0", **column("number", values[::2])},
                                               {"name": "c1", **column("number", values[1::2])}]}
    labels = struct.pack(">BBBBI", 0, 0, 12, 1, 2) + np.array([7, 300], dtype=">i4").tobytes()
    (FOLDER / "few-images.idx").write_bytes((FOLDER / "f4.idx").read_bytes())
    (FOLDER / "few-labels.idx").write_bytes(labels)
    EXPECTED["few-images.idx"] = {"columns": EXPECTED["f4.idx"]["columns"] + [{"name": "label", **column("number", [7, 300])}]}


def texts():
    lines = '{"x": 1.5, "name": "a \\u00e9", "on": true}\n\n{"x": null, "on": false, "name": "b"}\n{"x": 2, "extra": "2024-02-29"}\n'
    expected = {"columns": [{"name": "x", **column("number", [1.5, None, 2])},
                            {"name": "name", **column("text", ["a é", "b", None], str)},
                            {"name": "extra", "kind": "date", "cells": [None, None, "19782"]},
                            {"name": "on", **column("text", ["true", "false", None], str)}]}
    for name, data in [("lines.jsonl", lines.encode()), ("lines_marked.json", b"\xef\xbb\xbf" + lines.encode()),
                       ("lines_utf16.jsonl", lines.encode("utf-16"))]:
        (FOLDER / name).write_bytes(data)
        EXPECTED[name] = expected
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(lines.encode())
    (FOLDER / "lines.jsonl.zst").write_bytes(packed.getvalue().to_pybytes())
    EXPECTED["lines.jsonl.zst"] = expected
    (FOLDER / "nested.jsonl").write_text('{"x": 1}\n{"x": {"y": 2}}\n')
    EXPECTED["nested.jsonl"] = {"error": "nested.jsonl:2, column \"x\": expected a number, a text, true, false or null"}
    (FOLDER / "twice.jsonl").write_text('{"x": 1, "x": 2}\n')
    EXPECTED["twice.jsonl"] = {"error": "twice.jsonl:1, column \"x\": the key occurs twice"}
    (FOLDER / "document.json").write_text('[\n  {"x": 1},\n  {"x": 2}\n]\n')
    EXPECTED["document.json"] = {"error": "a JSON document"}
    (FOLDER / "one.svm").write_text("+1 1:0.5 3:2 # a\n\n-1 2:-1e-3\n+1\n")
    EXPECTED["one.svm"] = {"columns": [{"name": "f1", **column("number", [0.5, 0, 0])},
                                       {"name": "f2", "kind": "number", "cells": ["0", "-0.001", "0"]},
                                       {"name": "f3", **column("number", [2, 0, 0])},
                                       {"name": "label", **column("number", [1, -1, 1])}]}
    (FOLDER / "zero.svm").write_text("2 0:1\n3 1:4\n")
    EXPECTED["zero.svm"] = {"columns": [{"name": "f0", **column("number", [1, 0])}, {"name": "f1", **column("number", [0, 4])},
                                        {"name": "label", **column("number", [2, 3])}]}
    (FOLDER / "ranking.svm").write_text("1 qid:1 1:0.5\n0 qid:1 1:2\n")
    EXPECTED["ranking.svm"] = {"error": "ranking.svm:1: qid groups rows"}


def pack(columns, card=None, tensors=()):
    """The bytes of a pack. Columns are (name, kind, format character of struct, values[, texts])."""
    parts, names = [], []
    for number, (name, kind, letter, values, *texts) in enumerate(columns):
        names.append({"name": name, "kind": kind})
        types = {"d": "F64", "f": "F32", "q": "I64", "I": "U32"}
        parts.append((str(number), types[letter], len(values), struct.pack(f"<{len(values)}{letter}", *values)))
        if texts:
            encoded = [text.encode() for text in texts[0]]
            ends = [sum(len(text) for text in encoded[:n + 1]) for n in range(len(encoded))]
            parts.append((f"{number}.ends", "U64", len(ends), struct.pack(f"<{len(ends)}Q", *ends)))
            parts.append((f"{number}.texts", "U8", sum(map(len, encoded)), b"".join(encoded)))
    parts.extend(tensors)
    card = {"version": 1, "named": True, "columns": names, **(card or {})}
    header, at = {"__metadata__": {"gradlane.pack": json.dumps(card)}}, 0
    for name, dtype, count, data in parts:
        header[name] = {"dtype": dtype, "shape": [count], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for *_, data in parts)


def packs():
    nan, none = float("nan"), 2**32 - 1
    columns = [("double", "number", "d", [0.1, nan, -2.25, 1e300]), ("single", "number", "f", [0.5, nan, -2.25, 3]),
               ("whole", "whole", "q", [2**53 + 1, -2**63, -7, 0]), ("day", "days", "f", [19782, nan, -1, 0]),
               ("moment", "seconds", "d", [1709209815.5, nan, -1, 0]), ("time", "clock", "f", [45015.5, nan, 0, 1]),
               ("text", "text", "I", [0, none, 1, 0], ["rot", "grün"])]
    cells = [column("number", [0.1, None, -2.25, 1e300], lambda v: number(v) if v < 1e21 else "1e300"),
             column("number", [0.5, None, -2.25, 3]), column("number", [2**53, None, -7, 0]),
             column("date", [19782, None, -1, 0]), column("date", [1709209815.5, None, -1, 0]),
             column("date", [45015.5, None, 0, 1]), column("text", ["rot", None, "grün", "rot"], str)]
    expected = {"columns": [{"name": of[0], **found} for of, found in zip(columns, cells)]}
    (FOLDER / "types.pack").write_bytes(pack(columns))
    (FOLDER / "types.pack.gz").write_bytes(gzip.compress(pack(columns), mtime=0))
    EXPECTED["types.pack"] = EXPECTED["types.pack.gz"] = expected
    x = [("x", "number", "d", [1, 2])]
    wrong = {
        "cut.pack": (pack(x)[:-1], "the pack is damaged or cut short"),
        "newer.pack": (pack(x, {"version": 2}), "version 2 of the format, this program reads up to 1"),
        "kind.pack": (pack([("x", "text", "d", [1, 2], ["a"])]), "column \"x\" has elements of a wrong type"),
        "rows.pack": (pack(x + [("y", "number", "d", [1])]), "column \"y\" has another number of rows"),
        "stray.pack": (pack(x, tensors=[("9", "F64", 1, bytes(8))]), "tensors of no column"),
        "absent.pack": (pack([("t", "text", "I", [0, 1])]), "column \"t\" has no vector 0.ends"),
        "code.pack": (pack([("t", "text", "I", [0, 2], ["a", "b"])]), "row 2, column \"t\": expected one of 2 texts, found number 2"),
        "bytes.pack": (pack([("t", "text", "I", [0, 0], ["ä"])]).replace("ä".encode(), b"\xff\xfe"), "not UTF-8"),
        "empty.pack": (pack([("x", "number", "d", [])]), "expected rows of data"),
        "none.pack": (pack([]), "expected columns, found none"),
        "infinite.pack": (pack([("x", "number", "d", [1, float("inf")])]), "row 2, column \"x\": expected a finite number"),
    }
    for name, (data, message) in wrong.items():
        (FOLDER / name).write_bytes(data)
        EXPECTED[name] = {"error": message}


FOLDER.mkdir(parents=True, exist_ok=True)
parquet_types()
refused()
numpy_types()
idx_types()
texts()
packs()
first, lines = {}, []
for name, expected in EXPECTED.items():
    text = json.dumps(expected, ensure_ascii=False)
    same = first.setdefault(text, name)
    lines.append(f'"{name}": ' + (text if same == name else json.dumps({"as": same})))
(FOLDER / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{len(EXPECTED)} files in {FOLDER}")
