#!/usr/bin/env python3
"""Checks that every relative link of the repository's Markdown files leads to a file, and each #anchor to a heading.

    Scripts/check-links.py [FOLDER]
"""

import re
import sys
from pathlib import Path

LINK = re.compile(r"(?<!\\)\[[^\]\[]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
SKIPPED = re.compile(r"^\.build|^\.venv$|^\.services$|^\.git$|^cairn-data$")


def markdown_files(root):
    for path in sorted(root.rglob("*.md")):
        if not any(SKIPPED.match(part) for part in path.relative_to(root).parts):
            yield path


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def anchors(path):
    """GitHub's rule: lower case, punctuation dropped, spaces to hyphens; repeated headings are numbered."""
    seen, result = {}, set()
    text = re.sub(r"```.*?```", blank, path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = seen.get(name, 0)
        seen[name] = count + 1
        result.add(f"{name}-{count}" if count else name)
    return result


def problems(root):
    for path in markdown_files(root):
        text = CODE.sub(blank, path.read_text(encoding="utf-8"))
        for match in LINK.finditer(text):
            target = match[1]
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            place = f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
            file, _, anchor = target.partition("#")
            goal = (path.parent / file) if file else path
            if not goal.exists():
                yield f"{place}: '{target}' leads nowhere"
            elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
                yield f"{place}: '{file or path.name}' has no heading '#{anchor}'"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = list(problems(root))
    for problem in found:
        print(problem)
    print(f"  {sum(1 for _ in markdown_files(root))} Markdown files, {len(found)} broken links")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
