"""The language of a file, by its name alone; names as tree-sitter grammars have them."""

from __future__ import annotations

from pathlib import PurePosixPath

LANGUAGES: dict[str, tuple[str, ...]] = {
    "python": (".py", ".pyi", ".pyw"),
    "javascript": (".js", ".mjs", ".cjs", ".jsx"),
    "typescript": (".ts", ".mts", ".cts"),
    "tsx": (".tsx",),
    "go": (".go",),
    "java": (".java",),
    "rust": (".rs",),
    "c": (".c", ".h"),
    "cpp": (".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"),
    "csharp": (".cs",),
    "kotlin": (".kt", ".kts"),
    "scala": (".scala", ".sc"),
    "swift": (".swift",),
    "ruby": (".rb", ".rake", ".gemspec"),
    "php": (".php",),
    "bash": (".sh", ".bash", ".zsh"),
    "sql": (".sql",),
    "html": (".html", ".htm"),
    "css": (".css", ".scss", ".less"),
    "json": (".json",),
    "yaml": (".yml", ".yaml"),
    "toml": (".toml",),
    "xml": (".xml", ".xsd", ".svg"),
    "markdown": (".md", ".markdown"),
    "restructuredtext": (".rst",),
    "proto": (".proto",),
    "terraform": (".tf", ".tfvars"),
}

BY_NAME: dict[str, str] = {
    "dockerfile": "dockerfile",
    "makefile": "make",
    "gnumakefile": "make",
    "cmakelists.txt": "cmake",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "go.mod": "gomod",
}

_BY_EXTENSION = {extension: language for language, extensions in LANGUAGES.items() for extension in extensions}


def language_of(path: str) -> str | None:
    """The language of the file at `path`, or none if its name does not tell."""
    name = PurePosixPath(path).name.lower()
    return BY_NAME.get(name) or _BY_EXTENSION.get(PurePosixPath(name).suffix)
