"""The sites of a folder: every `*.yaml` in it, loaded anew when its bytes change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from streams.catalog.reference import Reference, load_reference
from streams.catalog.site import load_site
from streams.domain.findings import CatalogError, Finding
from streams.domain.site import Site


@dataclass(slots=True)
class SiteFolder:
    """Sites by name; `refresh` picks up what changed and keeps what was where a file is wrong."""

    path: Path
    reference: Reference = field(default_factory=load_reference)
    sites: dict[str, Site] = field(default_factory=dict)
    files: dict[Path, tuple[str, str]] = field(default_factory=dict)
    wrong: dict[Path, str] = field(default_factory=dict)
    seen: dict[Path, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> SiteFolder:
        """Load a folder, or one file; CatalogError names every mistake in every file."""
        folder = cls(path)
        if not folder._paths():
            found = "no such file or folder" if not path.exists() else "none"
            raise CatalogError([Finding("no_sites", "no site", file=path, expected="files *.yaml", found=found)])
        findings: list[Finding] = []
        for file in folder._paths():
            try:
                folder._load(file)
            except CatalogError as error:
                findings += error.findings
        if findings:
            raise CatalogError(findings)
        return folder

    def refresh(self) -> set[str]:
        """Load what changed; return the names of sites that are new or otherwise than before.

        A file that is wrong now leaves its site as it was and stands in `wrong`, and so does one that was removed.
        """
        changed: set[str] = set()
        present = self._paths()
        for file in present:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self.seen.get(file) == stamp:
                continue
            try:
                changed |= self._load(file)
                self.wrong.pop(file, None)
            except (CatalogError, OSError) as error:
                self.seen[file] = stamp
                self.wrong[file] = str(error)
        for file in self.files.keys() - set(present):
            self.wrong[file] = f"{file}: removed; its site goes on as it was until the next start"
        return changed

    def _paths(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        return sorted(each for each in self.path.glob("*.y*ml") if not each.name.startswith("."))

    def _load(self, file: Path) -> set[str]:
        status = file.stat()
        self.seen[file] = (status.st_mtime_ns, status.st_size)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if self.files.get(file, ("", ""))[0] == digest:
            return set()
        site = load_site(file, self.reference)
        holder = next((each for each, (_, name) in self.files.items() if name == site.name and each != file), None)
        if holder:
            raise CatalogError(
                [Finding("site_twice", f"site {site.name!r} stands in {holder.name} already", file=file, line=1)]
            )
        self.files[file] = (digest, site.name)
        self.sites[site.name] = site
        return {site.name}
