"""Every chart: Helm's lint, and what it renders against the schemas of the server that will take it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.native.tools import KUBERNETES_VERSION, ensure_tool
from vivero_dev.provider import Provider
from vivero_dev.steps import silently
from vivero_dev.testing.schemas import write_foreign_schemas, write_schemas

ROOT = Path(__file__).resolve().parents[3]
CHARTS = ROOT / "charts"


@dataclass(frozen=True, slots=True)
class ChartCheck:
    """The programs, and where the schemas lie."""

    helm: Path
    kubeconform: Path
    schemas: str

    def run(self, chart: Path) -> str:
        """With its defaults and with each values file in `ci`; raises ComponentError with the words of the first refusal."""
        files = [None, *sorted((chart / "ci").glob("*.yaml"))]
        return "\n".join(self._run_with(chart, values) for values in files)

    def _run_with(self, chart: Path, values: Path | None) -> str:
        name = f"chart {chart.name} with {values.name if values else 'its defaults'}"
        options = [f"--values={values}"] if values else []
        run(name, [self.helm, "lint", "--strict", "--quiet", chart, *options])
        rendered = run(name, [self.helm, "template", "check", chart, "--namespace=vivero-system", *options])
        return f"{name}: {run(name, self._kubeconform(), stdin=rendered).strip()}"

    def _kubeconform(self) -> list[str | Path]:
        version = KUBERNETES_VERSION.removeprefix("v")
        options = ["-strict", "-summary", f"-kubernetes-version={version}", f"-schema-location={self.schemas}"]
        return [self.kubeconform, *options]


def check_charts(provider: Provider) -> str:
    instance = provider.instance
    log = instance.log_dir / "build-kubeconform.log"
    kubeconform = ensure_tool(instance.cache_dir, "kubeconform", log, silently) / "kubeconform"
    # The Gateway API comes with Contour, whose platform has Ingresses alone.
    gateway = ensure_tool(instance.cache_dir, "contour", instance.log_dir / "build-contour.log", silently) / "gateway"
    with tempfile.TemporaryDirectory() as folder:
        write_foreign_schemas(gateway.glob("*.yaml"), Path(folder))
        check = ChartCheck(provider.helm(), kubeconform, write_schemas(provider.kubectl(), Path(folder)))
        charts = sorted(file.parent for file in CHARTS.glob("*/Chart.yaml"))
        return "\n".join(check.run(chart) for chart in charts)
