"""The committed baseline: capacities as shares of the ruler's, never absolute, so that machines may differ."""

import json

import harness

PATH = harness.HERE / "baseline.json"


def ratios(rows):
    return {f"{row['name']} @ {row['level']}": row["of_ruler"] for row in rows if row.get("of_ruler")}


def save(rows, conditions):
    """Replaces the ratios of the rows that were measured; the others stay."""
    known = json.loads(PATH.read_text()) if PATH.exists() else {"ratios": {}}
    known["ratios"].update({name: round(ratio, 5) for name, ratio in sorted(ratios(rows).items())})
    known["taken"] = {key: conditions[key] for key in ("date", "commit", "cores", "short")}
    PATH.write_text(json.dumps(known, indent=1) + "\n")


def fallen(found, known, tolerance):
    """(name, ratio now, ratio then) of what has fallen by more than this share in percent."""
    return [(name, ratio, known[name]) for name, ratio in found.items()
            if name in known and ratio < known[name] * (1 - tolerance / 100)]


def compare(rows, tolerance):
    """Prints what has fallen; whether nothing has. A row that the baseline does not have is no failure."""
    if not PATH.exists():
        raise SystemExit(f"there is no {PATH.name}; --save-baseline makes it")
    known, found = json.loads(PATH.read_text())["ratios"], ratios(rows)
    bad = fallen(found, known, tolerance)
    for name, ratio, then in bad:
        print(f"FALLEN: {name} is {ratio:.4f} of the ruler, it was {then:.4f} ({ratio / then - 1:+.0%})")
    missing = [name for name in found if name not in known]
    print(f"compared with {PATH.name}: {len(found) - len(missing)} ratios, {len(bad)} fallen, {len(missing)} not in it")
    return not bad
