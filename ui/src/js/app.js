// The shell's pages: everything of the public ones, and htmx, palette, dialogs, toasts.
import htmx from "htmx.org";
import { startDialogs } from "./dialog.js";
import { startDrafts } from "./drafts.js";
import { startNewFiles } from "./new-files.js";
import { startPickers } from "./picker.js";
import { startPalette } from "./palette.js";
import { startPrinting } from "./print.js";
import { startSwaps } from "./swaps.js";
import { startToasts } from "./toast.js";
import { startUploads } from "./upload.js";
import { startWaiting } from "./waiting.js";
import "./site.js";

// The content security policy allows neither inline styles nor eval.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;

startDialogs();
startDrafts();
startNewFiles();
startPalette();
startPickers();
startPrinting();
startSwaps();
startToasts();
startUploads();
startWaiting();
