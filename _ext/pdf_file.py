"""A PDF as Chromium writes it, given what Chromium cannot: author, bookmarks, labels; and packed.

Chromium writes each object by itself in plain text. Most are the tags that tell a screen reader
what is a heading and what is a formula; packed together (object streams, PDF 1.5) they take a tenth
of that. The same objects give the same bytes: dates are left out.
"""

from __future__ import annotations

import hashlib
import re
import zlib

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
PACK = 200  # objects in one stream
DESTINATIONS = re.compile(rb"/([\w.-]+) \[(\d+) 0 R /XYZ ([-\d.]+) ([-\d.]+) ")
Bookmark = tuple[int, str, str]  # level, words, name of the target


class Unread(ValueError):
    """A file that is not as Chromium writes it."""


class Pdf:
    """The objects of a file that Chromium wrote."""

    def __init__(self, raw: bytes):
        start = int(raw[raw.rindex(b"startxref") + 9 :].split()[0])
        table = re.match(rb"xref\n0 (\d+)\n", raw[start : start + 30])
        if not table:
            raise Unread("the file has no plain table of its objects")
        entries = raw[start + table.end() :][: 20 * int(table[1])]
        offsets = [int(entries[20 * k : 20 * k + 10]) for k in range(1, int(table[1]))]
        ends = dict(zip(sorted(offsets), [*sorted(offsets)[1:], start], strict=True))
        self.objects = {
            number: body(raw[offset : ends[offset]]) for number, offset in enumerate(offsets, 1)
        }
        trailer = raw[raw.rindex(b"trailer") :]
        self.root = int(re.search(rb"/Root (\d+) 0 R", trailer)[1])
        self.info = int(re.search(rb"/Info (\d+) 0 R", trailer)[1])

    def pages(self) -> dict[int, int]:
        """The number of each page, from 1, by that of its object."""
        top = int(re.search(rb"/Pages (\d+) 0 R", self.objects[self.root])[1])
        return {page: place for place, page in enumerate(self._leaves(top), 1)}

    def _leaves(self, number: int) -> list[int]:
        kids = re.search(rb"/Kids \[([^\]]*)\]", self.objects[number])
        if not kids:
            return [number]
        below = map(int, re.findall(rb"(\d+) 0 R", kids[1]))
        return [leaf for kid in below for leaf in self._leaves(kid)]

    def destinations(self) -> dict[str, tuple[int, float]]:
        """The page and the height on it of each target, by its name."""
        place = re.search(rb"/Dests (\d+) 0 R", self.objects[self.root])
        pages = self.pages()
        return {
            name.decode(): (pages[int(page)], float(height))
            for name, page, _, height in DESTINATIONS.findall(self.objects[int(place[1])])
        }

    def add(self, content: bytes) -> int:
        """Add an object; give its number."""
        number = max(self.objects) + 1
        self.objects[number] = content
        return number

    def complete(self, info: dict[str, str], bookmarks: list[Bookmark]) -> None:
        """Write in who made it, the bookmarks, and that a page's label is its number."""
        there = self.destinations()
        if lost := [name for _, _, name in bookmarks if name not in there]:
            raise Unread(f"no place is known of {', '.join(lost[:5])}")
        words = b" ".join(b"/%s %s" % (key.encode(), text(said)) for key, said in info.items())
        self.objects[self.info] = b"<<%s>>" % words
        root = re.sub(rb"\n?/Outlines \d+ 0 R", b"", self.objects[self.root])
        more = b"/Outlines %d 0 R\n/PageMode /UseOutlines\n" % self.outline(bookmarks)
        more += b"/PageLabels <</Nums [0 <</S /D>>]>>\n"
        self.objects[self.root] = root[: root.rindex(b">>")] + b"\n" + more + b">>"

    def outline(self, bookmarks: list[Bookmark]) -> int:
        """Add the bookmarks; give the number of their root. A reader sees parts and pages open."""
        top = self.add(b"")
        numbers = [self.add(b"") for _ in bookmarks]
        above = parents(bookmarks)
        children: dict[int, list[int]] = {}
        for number, parent in zip(numbers, above, strict=True):
            children.setdefault(top if parent < 0 else numbers[parent], []).append(number)
        self.objects[top] = b"<</Type /Outlines %s>>" % span(children.get(top, []))
        for (level, words, name), number, parent in zip(bookmarks, numbers, above, strict=True):
            kin = children[top if parent < 0 else numbers[parent]]
            place, below = kin.index(number), children.get(number, [])
            parts = [
                b"<</Title %s /Dest /%s" % (text(words), name.encode()),
                b"/Parent %d 0 R" % (top if parent < 0 else numbers[parent]),
                b"/Prev %d 0 R" % kin[place - 1] if place else b"",
                b"/Next %d 0 R" % kin[place + 1] if place + 1 < len(kin) else b"",
                span(below, open=level == 1) if below else b"",
            ]
            self.objects[number] = b" ".join(filter(None, parts)) + b">>"
        return top

    def packed(self) -> bytes:
        """The whole file."""
        out, where = bytearray(HEADER), {}
        plain = [n for n, content in self.objects.items() if not content.endswith(b"endstream")]
        for number in sorted(self.objects.keys() - set(plain)):
            where[number] = (1, len(out), 0)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, self.objects[number])
        after = max(self.objects) + 1
        for number, first in enumerate(range(0, len(plain), PACK), after):
            group = plain[first : first + PACK]
            where[number] = (1, len(out), 0)
            where |= {inner: (2, number, place) for place, inner in enumerate(group)}
            out += b"%d 0 obj\n%s\nendobj\n" % (number, pack([(n, self.objects[n]) for n in group]))
        return bytes(out) + self._table(where, len(out), hashlib.md5(out).hexdigest())

    def _table(self, where: dict[int, tuple[int, int, int]], start: int, name: str) -> bytes:
        number = max(where) + 1
        where = {0: (0, 0, 255), number: (1, start, 0)} | where
        rows = b"".join(
            bytes([kind]) + place.to_bytes(4, "big") + bytes([inner])
            for _, (kind, place, inner) in sorted(where.items())
        )
        content = zlib.compress(rows, 9)
        head = (
            f"{number} 0 obj\n<</Type /XRef /Size {number + 1} /W [1 4 1] /Root {self.root} 0 R "
            f"/Info {self.info} 0 R /ID [<{name}> <{name}>] /Filter /FlateDecode "
            f"/Length {len(content)}>>\nstream\n"
        )
        end = f"\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n"
        return head.encode() + content + end.encode()


def body(raw: bytes) -> bytes:
    """What stands between the number of an object and its end."""
    return raw[raw.index(b" obj\n") + 5 : raw.rindex(b"\nendobj")]


def pack(objects: list[tuple[int, bytes]]) -> bytes:
    """Some objects in one stream."""
    index, content = [], b""
    for number, one in objects:
        index.append(b"%d %d" % (number, len(content)))
        content += one + b"\n"
    head = b" ".join(index) + b"\n"
    packed = zlib.compress(head + content, 9)
    says = b"<</Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d>>"
    says %= (len(objects), len(head), len(packed))
    return says + b"\nstream\n" + packed + b"\nendstream"


def parents(bookmarks: list[Bookmark]) -> list[int]:
    """The place of the bookmark above each; -1 at the top."""
    found, path = [], []
    for place, (level, _, _) in enumerate(bookmarks):
        del path[level - 1 :]
        found.append(path[-1] if path else -1)
        path.append(place)
    return found


def span(kin: list[int], open: bool = True) -> bytes:
    """The first and the last of some bookmarks, and how many of them show."""
    if not kin:
        return b"/Count 0"
    count = len(kin) if open else -len(kin)
    return b"/First %d 0 R /Last %d 0 R /Count %d" % (kin[0], kin[-1], count)


def text(words: str) -> bytes:
    """Words as a PDF writes them."""
    return b"<FEFF" + words.encode("utf-16-be").hex().upper().encode() + b">"
