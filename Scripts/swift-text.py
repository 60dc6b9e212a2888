#!/usr/bin/env python3
"""Reads Swift for Scripts/lint.sh, which greps: greps should see code, not comments and texts.

    swift-text.py code FILE…        prints FILE:LINE:CODE with comments removed and string contents emptied
    swift-text.py functions N FILE… prints FILE:LINE:LENGTH for each function body of more than N lines

It knows Swift's comments (nested) and strings (one-line, multi-line, raw). A string inside an interpolation ends the
outer one early; the code between is then seen as code, which is what it is.
"""

import re
import sys

TOKEN = re.compile(
    r"""
    (?P<line>//[^\n]*)
  | (?P<block>/\*)
  | (?P<raw>(?P<hashes>\#+)(?P<quotes>\"\"\"|\")(?:.*?)(?P=quotes)(?P=hashes))
  | (?P<multi>\"\"\"(?:\\.|(?!\"\"\").)*\"\"\")
  | (?P<text>\"(?:\\.|[^\"\\\n])*\")
    """,
    re.VERBOSE | re.DOTALL,
)
BLOCK_EDGE = re.compile(r"/\*|\*/")
FUNCTION = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:[a-z]+(?:\([a-z]+\))?\s+)*(?:func\s|init[?(<]|deinit\b|subscript[(<])")


OTHER = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:[a-z]+(?:\([a-z]+\))?\s+)*(?:struct|class|enum|actor|extension|protocol|var|let)\s")


def end_of_block(text, start):
    depth = 0
    for edge in BLOCK_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def code_of(text):
    """The text with comments and string contents gone; every line keeps its number."""
    pieces, position = [], 0
    while match := TOKEN.search(text, position):
        pieces.append(text[position : match.start()])
        end = end_of_block(text, match.start()) if match["block"] else match.end()
        lines = "\n" * text.count("\n", match.start(), end)
        if match["line"] or match["block"]:
            pieces.append(lines)
        else:
            pieces.append('"' + lines + '"')
        position = end
    pieces.append(text[position:])
    return "".join(pieces)


def long_functions(code, limit):
    """(line, length) of each function whose braces are more than `limit` lines apart, both excluded."""
    opened, declared = [], None
    for number, line in enumerate(code.split("\n"), 1):
        if FUNCTION.match(line):
            declared = number
        elif OTHER.match(line):
            declared = None  # What was declared before is a requirement of a protocol: it has no body.
        for character in line:
            if character == "{":
                opened.append((declared, number) if declared else None)
                declared = None
            elif character == "}" and opened:
                function, declared = opened.pop(), None
                if function and number - function[1] - 1 > limit:
                    yield function[0], number - function[1] - 1


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    out = sys.stdout
    if sys.argv[1] == "code":
        for path in sys.argv[2:]:
            for number, line in enumerate(code_of(read(path)).split("\n"), 1):
                if line and not line.isspace():
                    out.write(f"{path}:{number}:{line}\n")
    elif sys.argv[1] == "functions":
        for path in sys.argv[3:]:
            for line, length in long_functions(code_of(read(path)), int(sys.argv[2])):
                out.write(f"{path}:{line}:{length}\n")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
