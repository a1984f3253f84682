// The public pages: no htmx, no shell.
import { startCopy } from "./copy.js";
import { startForms } from "./forms.js";
import { startLead } from "./lead.js";
import { startMenus } from "./menu.js";
import { startProgress } from "./progress.js";
import { startReload } from "./reload.js";
import { startSecret } from "./secret.js";
import { startTheme } from "./theme.js";
import { startTime } from "./time.js";
import { startWork } from "./work.js";

startTheme();
startCopy();
startForms();
startLead();
startMenus();
startProgress();
startReload();
startSecret();
startTime();
startWork();
