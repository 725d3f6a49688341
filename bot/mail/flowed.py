"""Text in format=flowed (RFC 3676) to ordinary lines, with the quote depth kept; the standard library does not."""


def unfold(text: str, *, delete_space: bool) -> str:
    """Paragraphs joined where a line ends in a space at the same quote depth; `-- ` never joins (section 4.3)."""
    paragraphs: list[tuple[int, list[str]]] = []
    open_depth = -1
    for line in text.split("\n"):
        depth, content = _depth(line)
        flows = content.endswith(" ") and content != "-- "
        piece = content[:-1] if flows and delete_space else content
        if depth == open_depth and content != "-- ":
            paragraphs[-1][1].append(piece)
        else:
            paragraphs.append((depth, [piece]))
        open_depth = depth if flows else -1
    return "\n".join(_line(depth, "".join(pieces)) for depth, pieces in paragraphs)


def _depth(line: str) -> tuple[int, str]:
    content = line.lstrip(">")
    depth = len(line) - len(content)
    return depth, content.removeprefix(" ")  # space-stuffing, section 4.4


def _line(depth: int, content: str) -> str:
    return f"{'>' * depth} {content}" if depth else content
