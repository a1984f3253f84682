"""What the public pages promise about Vivero, in the order they say it."""

from typing import Final

from vivero_control.domain.plans.selling_points import File, Limit, Route, SellingPoint

_SIGNUP: Final = Route("platform", "POST", "/api/v1/signups")
_PROGRESS: Final = Route("platform", "GET", "/signup/{signup_id}/events")
_USAGE: Final = Route("workspace", "GET", "/api/v1/usage")
_CHANGE_PLAN: Final = Route("platform", "POST", "/api/v1/tenants/{name}/change-plan")
_TRIALS: Final = File("tests/integration/control_plane/test_trials.py")
_SELF_HOSTING: Final = File("charts/vivero-data-plane/Chart.yaml")
_PROOF: Final = File("tests/unit/operator/test_proof.py")

HOW: Final = (
    SellingPoint(
        "You name it",
        "Company, e-mail, password. The address of your workspace follows from the name, or you choose it.",
        (_SIGNUP,),
        "pencil",
    ),
    SellingPoint(
        "It is built",
        "A database with its own user, a bucket, cache keys, and an application that serves nobody else.",
        (_PROGRESS, File("tests/integration/operator/test_provision.py")),
        "boxes",
    ),
    SellingPoint(
        "It is proved",
        "Vivero logs in to the database, writes and reads a file and the cache, and asks the application. Ready is the "
        "result, not a hope.",
        (_PROGRESS, _PROOF),
        "shield-check",
    ),
    SellingPoint(
        "You are inside",
        "The progress page hands you over, logged in by a ticket that works once.",
        (Route("workspace", "POST", "/login/ticket"),),
        "log-in",
    ),
)
WORKSPACE: Final = (
    SellingPoint(
        "Collections",
        "Records of the kinds your company has, with fields that you define and that have types.",
        (Route("workspace", "POST", "/api/v1/collections"), Limit("records")),
        "table-2",
    ),
    SellingPoint(
        "Files",
        "Kept in a bucket that only your workspace can open, encrypted with a key of its own.",
        (
            Route("workspace", "POST", "/api/v1/files"),
            Limit("storage_bytes"),
            File("tests/unit/model/test_sealing.py"),
        ),
        "files",
    ),
    SellingPoint(
        "People",
        "Everyone logs in with e-mail and password. Owners and administrators decide who comes in.",
        (Route("workspace", "POST", "/api/v1/users"), Limit("users")),
        "users",
    ),
    SellingPoint(
        "Audit log",
        "Who changed what, and when. Every change of data is in it.",
        (Route("workspace", "GET", "/api/v1/audit"), Route("workspace", "GET", "/audit")),
        "scroll-text",
    ),
    SellingPoint(
        "API",
        "Programs work with the same records, files and people. Documented as OpenAPI.",
        (Route("workspace", "GET", "/schema"), Limit("requests_per_minute")),
        "key-round",
    ),
    SellingPoint(
        "Visible limits",
        "How much of your plan is used, counted now. No surprise at the end of a month.",
        (_USAGE, Route("workspace", "GET", "/usage")),
        "gauge",
    ),
)
ISOLATION: Final = (
    SellingPoint(
        "A database of your own",
        "Its user holds rights on that database and nothing else, may connect only over TLS, and has a connection limit "
        "from your plan.",
        (File("tests/integration/isolation/test_database.py"),),
    ),
    SellingPoint(
        "A bucket of your own",
        "With its own credentials. Files are encrypted before they reach it, with a key that belongs to your workspace.",
        (File("tests/integration/isolation/test_storage.py"), File("tests/unit/model/test_sealing.py")),
    ),
    SellingPoint(
        "A process of your own",
        "Your application runs by itself in its own namespace: without root, on a read-only file system, with fixed "
        "memory.",
        (File("tests/unit/operator/test_manifests.py"),),
    ),
    SellingPoint(
        "TLS 1.3 on every connection",
        "From your browser to the door, and from the application to database, cache and files.",
        (File("tests/integration/vivero_dev/test_services.py"),),
    ),
    SellingPoint(
        "Passwords and sessions",
        "Passwords are hashed with Argon2id. Access tokens live 15 minutes, refresh tokens work once.",
        (Route("workspace", "POST", "/api/v1/auth/refresh"), File("tests/unit/web/test_passwords.py")),
    ),
    SellingPoint(
        "Yours to take along",
        "A trial that ends is paused, not deleted. Enterprise customers run the same application in their own cluster.",
        (_TRIALS, _SELF_HOSTING),
    ),
)
QUESTIONS: Final = (
    SellingPoint(
        "What happens when the trial ends?",
        "You get a mail before. Then the workspace is paused and shows a page that says so. Your data is kept, and the "
        "workspace goes on where it stopped when you have a plan.",
        (_TRIALS, _CHANGE_PLAN),
    ),
    SellingPoint("Do I need a card for the trial?", "No. Company, e-mail and a password are enough.", (_SIGNUP,)),
    SellingPoint(
        "What happens at a limit?",
        "New records or users are refused with a sentence that says which limit it is. What is there stays usable. The "
        "overview of your workspace shows how near you are.",
        (Limit("records"), Limit("users"), _USAGE),
    ),
    SellingPoint(
        "Can we run it ourselves?",
        "On Enterprise, yes. The application knows one workspace and no platform: the same program runs in your "
        "cluster, against your database and your bucket.",
        (_SELF_HOSTING, File("docs/self-hosting.md")),
    ),
)
