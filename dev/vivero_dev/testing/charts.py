"""Every chart: Helm's lint, and what it renders against the schemas of the server that will take it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from vivero_dev.commands import run
from vivero_dev.native.tools import KUBERNETES_VERSION, ensure_tool
from vivero_dev.provider import Provider
from vivero_dev.testing.schemas import write_schemas

ROOT = Path(__file__).resolve().parents[3]
CHARTS = ROOT / "charts"


@dataclass(frozen=True, slots=True)
class ChartCheck:
    """The programs, and where the schemas lie."""

    helm: Path
    kubeconform: Path
    schemas: str

    def run(self, chart: Path) -> str:
        """Raises ComponentError with the first tool's words that refuses the chart."""
        name = f"chart {chart.name}"
        values = [f"--values={file}" for file in sorted((chart / "ci").glob("*.yaml"))]
        run(name, [self.helm, "lint", "--strict", "--quiet", chart, *values])
        rendered = run(name, [self.helm, "template", "check", chart, "--namespace=vivero-system", *values])
        version = KUBERNETES_VERSION.removeprefix("v")
        options = ["-strict", "-summary", f"-kubernetes-version={version}", f"-schema-location={self.schemas}"]
        return f"{name}: {run(name, [self.kubeconform, *options], stdin=rendered).strip()}"


def check_charts(provider: Provider) -> str:
    instance = provider.instance
    log = instance.log_dir / "build-kubeconform.log"
    kubeconform = ensure_tool(instance.cache_dir, "kubeconform", log, lambda _: None) / "kubeconform"
    with tempfile.TemporaryDirectory() as folder:
        check = ChartCheck(provider.helm(), kubeconform, write_schemas(provider.kubectl(), Path(folder)))
        charts = sorted(file.parent for file in CHARTS.glob("*/Chart.yaml"))
        return "\n".join(check.run(chart) for chart in charts)
