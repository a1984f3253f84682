// Builds the theme, fonts, scripts and icons into vivero_ui/static/dist with
// content-hashed names, and manifest.json (logical name -> file) for Python.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const work = join(root, "build");
const dist = join(root, "vivero_ui", "static", "dist");
// Built aside and moved into place, so that a server never sees half a build.
const fresh = join(root, "vivero_ui", "static", "dist.new");

function tailwind(name) {
  const cli = join(root, "node_modules", ".bin", "tailwindcss");
  const run = spawnSync(cli, ["-i", `src/css/${name}`, "-o", `build/${name}`], { cwd: root, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr || String(run.error));
}

async function bundle() {
  const entryPoints = ["build/app.css", "build/alone.css", "src/js/app.js", "src/js/board.js", "src/js/calendar.js", "src/js/charts.js", "src/js/grid.js", "src/js/site.js", "src/js/stand-in.js", "src/js/theme-boot.js"];
  const result = await build({
    absWorkingDir: root,
    entryPoints,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    outdir: fresh,
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".woff2": "file" },
    metafile: true,
    legalComments: "none",
    logLevel: "warning",
  });
  const manifest = {};
  for (const [file, output] of Object.entries(result.metafile.outputs)) {
    const source = output.entryPoint ?? Object.keys(output.inputs)[0];
    manifest[basename(source)] = basename(file);
  }
  return manifest;
}

function hashed(name) {
  const source = join(root, "src", "img", name);
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 8).toUpperCase();
  const extension = extname(name);
  const target = `${basename(name, extension)}-${hash}${extension}`;
  cpSync(source, join(fresh, target));
  return target;
}

// Only the icons that a template names: src/icons.txt is the list, a test compares.
function icons() {
  const names = readFileSync(join(root, "src", "icons.txt"), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
  const body = (name) => {
    const svg = readFileSync(join(root, "node_modules", "lucide-static", "icons", `${name}.svg`), "utf8");
    return svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
  };
  return Object.fromEntries(names.map((name) => [name, body(name)]));
}

rmSync(work, { recursive: true, force: true });
rmSync(fresh, { recursive: true, force: true });
mkdirSync(work);
mkdirSync(fresh, { recursive: true });
for (const name of ["app.css", "alone.css"]) tailwind(name);
const manifest = await bundle();
for (const image of ["mark.svg", "favicon.svg"]) manifest[image] = hashed(image);
writeFileSync(join(fresh, "icons.json"), JSON.stringify(icons()));
writeFileSync(join(fresh, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);
rmSync(work, { recursive: true, force: true });
