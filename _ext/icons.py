"""The few icons that pages show, drawn by the stylesheet.

The theme brings Font Awesome as a script of 1.5 MB, which draws an icon into each element of a
class such as ``fa-bars``, and as fonts of 1 MB for the icons beside a title or a link. Here each
icon in use is one shape, taken out of that script; the text's colour fills it. The licence's own
lines stay in the stylesheet. Where an icon comes in several styles the solid one is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

ENTRY = re.compile(
    r"""["']?([\w-]+)["']?:\[(\d+),(\d+),\[([^]]*)\],["']([0-9a-f]+)["'],["'](M[^"']*)["']\]"""
)
OTHER_NAME = re.compile(r"""["']([\w-]+)["']""")
FAMILY = ("fa", "fas", "far", "fab", "fa-solid", "fa-regular", "fa-brands")
VARIABLE = re.compile(
    r"--pst-icon-([\w-]+):(?:var\(--pst-icon-([\w-]+)\)|\"(?:\\([0-9a-f]+)|(.))\")"
)
SHOWN = re.compile(r"content:var\(--pst-icon-([\w-]+)\)")
# The script made a picture of each element; what the theme says of these holds for the icons.
PICTURE = re.compile(r"(?<=[ (])svg(?=[){,])(?<!copybtn svg)(?<!figure svg)")
FONT = re.compile(r"font:var\(--fa-font-(?:solid|regular|brands)\)")
DRAWN = (
    "display:inline-block;background:currentcolor;"
    "-webkit-mask:var(--icon) center/contain no-repeat content-box;"
    "mask:var(--icon) center/contain no-repeat content-box;"
    "-webkit-print-color-adjust:exact;print-color-adjust:exact"
)
BOX = (
    "flex-shrink:0;box-sizing:content-box;width:var(--icon-width,1em);height:1em;"
    "vertical-align:-.125em"
)
# Where colours are forced a background is that of the page, unless it says otherwise.
FORCED = (
    "@media (forced-colors:active){%(all)s{forced-color-adjust:none;background:CanvasText}"
    "a %(all)s{background:LinkText}button %(all)s{background:ButtonText}}"
)
SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d'><path d='%s'/></svg>"


@dataclass(frozen=True)
class Icon:
    """A shape in a box."""

    width: int
    height: int
    path: str

    @property
    def address(self) -> str:
        """The icon as a picture, within the address itself."""
        svg = quote(SVG % (self.width, self.height, self.path), safe=" '/:=,-.()")
        return f'url("data:image/svg+xml,{svg}")'


def known(script: str) -> dict[str, Icon]:
    """Every icon of the script, by each of its names and by its place in the fonts."""
    found: dict[str, Icon] = {}
    for name, width, height, others, code, path in ENTRY.findall(script):
        icon = Icon(int(width), int(height), path)  # the script's last set is the solid one
        found |= dict.fromkeys([name, code, *OTHER_NAME.findall(others)], icon)
    return found


def asked(words: Iterable[str], icons: dict[str, Icon]) -> dict[str, Icon]:
    """The icons that pages and scripts name, as in ``fa-bars``."""
    names = sorted({word[3:] for word in words if word.startswith("fa-")})
    return {name: icons[name] for name in names if name in icons}


def without(rules: list) -> list:
    """Rules without those by which the fonts draw icons; the theme's own stay."""

    def theirs(selector: str) -> bool:
        names = re.findall(r"\.([\w-]+)", selector)
        return bool(names) and all(name in FAMILY or name.startswith("fa-") for name in names)

    kept = []
    for head, body in rules:
        if head.startswith("@font-face") or "@keyframes fa-" in head:
            kept += (
                [] if "Font Awesome" in body.replace("\\", "") or "@k" in head else [(head, body)]
            )
        elif isinstance(body, list):
            kept.append((head, without(body)))
        elif selectors := [s for s in head.split(",") if body is None or not theirs(s)]:
            kept.append((",".join(selectors), body))
    return [(head, body) for head, body in kept if body != []]


def by_class(asked: dict[str, Icon]) -> str:
    """Rules that draw an icon into each element of its class; any rule of the theme goes before."""
    every = ":where(" + ",".join(f".{name}" for name in FAMILY) + ")"
    rules = [f"{every}{{{BOX};{DRAWN}}}", ".fa-lg{font-size:1.25em}", FORCED % {"all": every}]
    for name, icon in asked.items():
        width = (
            f";--icon-width:{icon.width / icon.height:.4g}em" if icon.width != icon.height else ""
        )
        rules.append(f".fa-{name}{{--icon:{icon.address}{width}}}")
    return "".join(rules)


def by_rule(css: str, icons: dict[str, Icon]) -> str:
    """A stylesheet whose icons in titles and links are shapes, no signs of a font."""
    codes = {
        name: (other, code or (f"{ord(sign):x}" if sign else ""))
        for name, other, code, sign in VARIABLE.findall(css)
    }

    def icon(name: str) -> Icon:
        other, code = codes[name]
        return icon(other) if other else icons[code]

    names = sorted({name for name in SHOWN.findall(css)})
    css = PICTURE.sub(":is(svg," + ",".join(f".{name}" for name in FAMILY) + ")", css)
    css = VARIABLE.sub("", css)
    css = SHOWN.sub(r'content:"";--icon:var(--icon-\1)', css)
    css = FONT.sub(f"width:1em;height:1em;{DRAWN}", css)
    shapes = "".join(f"--icon-{name}:{icon(name).address};" for name in names)
    return f":root{{{shapes}}}{css}" if names else css
