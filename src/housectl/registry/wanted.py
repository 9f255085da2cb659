"""The wanted content of the registry, computed from the history and the bundles of a store."""

from dataclasses import dataclass, replace
from functools import cached_property

from housectl.contract.bundle import BundleSummary
from housectl.contract.bundle_record import MODEL_FILE, SHORT_DIGEST
from housectl.contract.graph.format import ONNX_OPSET
from housectl.contract.history import HistoryEntry, override_of
from housectl.image_references import digest_in
from housectl.registry.objects import Properties, WantedObject, number_property, text_property
from housectl.store.base import ChampionStore

CHAMPION_PROPERTY = "housectl.champion"
HISTORY_PROPERTY = "housectl.history"
ARTIFACT_NAME = MODEL_FILE

_LIVE = {"state": "LIVE"}
_DESCRIPTION = "Present and former champions of a housectl project."


@dataclass(frozen=True, kw_only=True)
class WantedVersion:
    """A model version with its only artifact."""

    version: WantedObject
    artifact: WantedObject


@dataclass(frozen=True, kw_only=True)
class WantedRegistry:
    """The registered model and the versions that a history implies.

    Attributes:
        name: Name of the registered model.
        project: Name of the project.
        history: All entries of the store's history. Without entries, nothing is wanted.
    """

    name: str
    project: str
    store: ChampionStore
    history: tuple[HistoryEntry, ...]

    @property
    def champion(self) -> str | None:
        """Name of the champion's version; None without entries."""
        return _version_name(self.history[-1]) if self.history else None

    @property
    def history_id(self) -> str:
        """A text that no other history has: the time of its first entry, to the microsecond."""
        return self.history[0].at

    @property
    def model(self) -> WantedObject:
        """The registered model, without the champion, whose version must exist first."""
        return WantedObject(
            name=self.name,
            fields=_LIVE,
            properties={HISTORY_PROPERTY: text_property(self.history_id)},
            initial_fields={"description": _DESCRIPTION},
        )

    @property
    def model_with_champion(self) -> WantedObject:
        """The registered model with its champion."""
        model = self.model
        champion = {CHAMPION_PROPERTY: text_property(_version_name(self.history[-1]))}
        return replace(model, properties=model.properties | champion)

    @cached_property
    def first_entries(self) -> dict[str, HistoryEntry]:
        """The first entry of each bundle by the name of its version, the oldest first."""
        entries: dict[str, HistoryEntry] = {}
        for entry in self.history:
            entries.setdefault(_version_name(entry), entry)
        return entries

    def version(self, name: str) -> WantedVersion:
        """Return the version with a name of `first_entries`.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        entry = self.first_entries[name]
        summary = self.store.bundle_summary(entry.bundle)
        uri = self.store.bundle_uri(entry.bundle)
        return WantedVersion(
            version=_version(entry, summary, override=override_of(entry.bundle, self.history)),
            artifact=_artifact(summary, uri=uri, project=self.project),
        )


def _version_name(entry: HistoryEntry) -> str:
    return entry.bundle[:SHORT_DIGEST]


def _version(entry: HistoryEntry, summary: BundleSummary, *, override: str | None) -> WantedObject:
    reason, verdict = entry.override_reason, entry.reason
    overridden = f"Promoted against the verdict: {reason} Verdict: {verdict}"
    return WantedObject(
        name=_version_name(entry),
        fields=_LIVE,
        properties=_version_properties(entry, summary, override=override),
        initial_fields={
            "description": overridden if reason else verdict,
            "author": entry.by,
        },
    )


def _version_properties(
    entry: HistoryEntry, summary: BundleSummary, *, override: str | None
) -> Properties:
    recipe, provenance = summary.record.recipe, summary.record.provenance
    texts = {
        "digest": entry.bundle,
        "promoted_at": entry.at,
        "override": override,
        "family": recipe.family.value,
        "recipe_digest": recipe.digest,
        "data_digest": recipe.data,
        "experiment": provenance.experiment,
        "trial": provenance.trial,
        "backend": provenance.backend,
        "image": provenance.image,
        "image_digest": provenance.image_digest or digest_in(provenance.image or ""),
        "lock_digest": provenance.lock,
        "git_commit": provenance.commit,
    }
    return {
        "mse": number_property(summary.metrics.mse),
        "holdout_mse": number_property(entry.holdout_mse),
        **{name: text_property(text) for name, text in texts.items() if text},
    }


def _artifact(summary: BundleSummary, *, uri: str, project: str) -> WantedObject:
    provenance = summary.record.provenance
    source = (provenance.experiment, provenance.trial)
    fields = {
        "uri": uri,
        "modelFormatName": "onnx",
        "modelFormatVersion": str(ONNX_OPSET),
        "modelSourceKind": provenance.backend,
        "modelSourceClass": "experiment" if provenance.experiment else None,
        "modelSourceGroup": project,
        "modelSourceId": "/".join(filter(None, source)),
        "modelSourceName": provenance.experiment,
    }
    return WantedObject(
        name=ARTIFACT_NAME,
        fields=_LIVE | {name: text for name, text in fields.items() if text},
        properties={"sha256": text_property(summary.record.files[MODEL_FILE])},
        initial_fields={"artifactType": "model-artifact"},
    )
