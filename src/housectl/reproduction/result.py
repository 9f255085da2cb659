"""The result of a reproduction."""

from dataclasses import dataclass

from housectl.contract.bundle import Bundle
from housectl.errors import ExitStatus
from housectl.reproduction.comparison import FileComparison, InputDifference


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A bundle and the result of training it again.

    Attributes:
        reproduced_digest: Digest of the new bundle; equal digests mean equal bundles.
        files: All files of both bundles, and the evidence.
        differing_inputs: Inputs that differ between both trainings, and contradictions between the
            records of the bundle; also those that changed no byte.
        notes: Deviations from the recorded environment, each in one sentence.
    """

    bundle: Bundle
    reproduced_digest: str
    files: tuple[FileComparison, ...]
    differing_inputs: tuple[InputDifference, ...]
    notes: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """True if all files have the same bytes."""
        return all(file.equal for file in self.files)

    @property
    def status(self) -> ExitStatus:
        """Exit status of the command."""
        return ExitStatus.OK if self.identical else ExitStatus.BUNDLE

    @property
    def reason(self) -> str:
        """The result in a few sentences, with the inputs that differ."""
        different = [file.file for file in self.files if not file.equal]
        known = [str(each) for each in self.differing_inputs if each.recorded is not None]
        missing = [each.input for each in self.differing_inputs if each.recorded is None]
        if not different:
            return f"All {len(self.files)} files are identical."
        causes = [
            *([f"Different inputs: {'; '.join(known)}."] if known else []),
            *(
                [f"Inputs that the bundle does not record: {', '.join(missing)}."]
                if missing
                else []
            ),
        ] or ["No recorded input differs, so the files were not made from this record."]
        return f"{len(different)} of {len(self.files)} files differ. {' '.join(causes)}"
