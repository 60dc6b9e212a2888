"""The committed baseline: capacities as shares of the ruler's, never absolute, so that machines may differ."""

import json

import harness

PATH = harness.HERE / "baseline.json"


def ratios(rows):
    return {f"{row['name']} @ {row['level']}": row["of_ruler"] for row in rows if row.get("of_ruler")}


def kind(conditions):
    """Short and long runs have a baseline each, and so has each engine."""
    return f"{conditions['engine']}, {'short' if conditions['short'] else 'long'}"


def save(rows, conditions):
    """Replaces the ratios of the rows that were measured; the others stay."""
    known = json.loads(PATH.read_text()) if PATH.exists() else {}
    part = known.setdefault(kind(conditions), {"ratios": {}})
    part["ratios"].update({name: round(ratio, 5) for name, ratio in sorted(ratios(rows).items())})
    part["taken"] = {key: conditions[key] for key in ("date", "commit", "cores", "load_before")}
    PATH.write_text(json.dumps(known, indent=1) + "\n")


def fallen(found, known, tolerance):
    """(name, ratio now, ratio then) of what has fallen by more than this share in percent."""
    return [(name, ratio, known[name]) for name, ratio in found.items()
            if name in known and ratio < known[name] * (1 - tolerance / 100)]


def compare(rows, conditions, tolerance):
    """Prints what has fallen; whether nothing has. A row that the baseline does not have is no failure."""
    if not PATH.exists():
        raise SystemExit(f"there is no {PATH.name}; --save-baseline makes it")
    known, found = json.loads(PATH.read_text()).get(kind(conditions), {"ratios": {}})["ratios"], ratios(rows)
    bad = fallen(found, known, tolerance)
    for name, ratio, then in bad:
        print(f"FALLEN: {name} is {ratio:.4f} of the ruler, it was {then:.4f} ({ratio / then - 1:+.0%})")
    missing = [name for name in found if name not in known]
    print(f"compared with {PATH.name}: {len(found) - len(missing)} ratios, {len(bad)} fallen, {len(missing)} not in it")
    return not bad
