"""A file is read as it was written, whatever program wrote it."""

from pathlib import Path

import pytest

from models.tables import Broken, read_rows

WRITTEN = "评价,问题\n壳子碎了，客服不理人,破损\n物流一周没更新了,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_table_says_the_same_in_each_encoding_that_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(WRITTEN, encoding=encoding)
    rows = [row for _, row in read_rows(path, ("评价", "问题")) if not isinstance(row, Broken)]
    assert [tuple(row.values()) for row in rows] == [("壳子碎了，客服不理人", "破损"), ("物流一周没更新了", "")]


@pytest.mark.parametrize(
    "content",
    [WRITTEN.encode()[:-8] + b"\xff" + WRITTEN.encode()[-8:], "text,who\ncafé très für,x\n".encode("latin-1")],
    ids=["one byte is damaged", "Latin letters with accents"],
)
def test_what_is_no_chinese_of_a_spreadsheet_is_read_as_utf_8(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    [*_, (_, row)] = read_rows(path, ())
    assert not isinstance(row, Broken)
    assert list(row.values()) == content.decode("utf-8", "replace").splitlines()[-1].split(",")
