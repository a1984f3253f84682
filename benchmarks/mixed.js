// What benchmarks/steady_rates.py lets k6 send: a mix of requests to one workspace's API, or bare ones, at a constant rate.
//
// Of the environment: BASE (address of the workspace), KEY (an API key), COLLECTION (its address in the API), FIRST and
// AMOUNT (ids of its records), RATE (requests a second), SECONDS, BARE (an address that is asked for instead of the mix).
import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";

const { BASE, KEY, COLLECTION, BARE } = __ENV;
const [FIRST, AMOUNT, RATE] = [__ENV.FIRST, __ENV.AMOUNT, __ENV.RATE].map(Number);
const HOST = BASE.replace(/^https:\/\//, "").replace(/:\d+$/, "");

export const options = {
  hosts: { [HOST]: "127.0.0.1" },
  discardResponseBodies: true,
  summaryTrendStats: ["med", "p(95)", "max"],
  thresholds: { checks: [] },
  scenarios: {
    mix: {
      executor: "constant-arrival-rate",
      rate: RATE,
      timeUnit: "1s",
      duration: `${__ENV.SECONDS}s`,
      preAllocatedVUs: 50,
      maxVUs: 100,
    },
  },
};

const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" };
const one = (number) => `${COLLECTION}/records/${FIRST + ((number * 7919) % AMOUNT)}`;

// Of ten requests six read a page, two read a record, one adds one and one changes one.
function send(number) {
  if (BARE) return http.get(BARE, { tags: { name: "bare" } });
  switch (number % 10) {
    case 0:
      return http.post(`${COLLECTION}/records`, JSON.stringify({ values: { Name: `Added ${number}`, Amount: number } }), { headers, tags: { name: "add" } });
    case 1:
      return http.patch(one(number), JSON.stringify({ values: { Amount: number } }), { headers, tags: { name: "change" } });
    case 2:
    case 3:
      return http.get(one(number), { headers, tags: { name: "record" } });
    case 4:
    case 5:
      return http.get(`${COLLECTION}/records?limit=50&sort=-Amount`, { headers, tags: { name: "sorted page" } });
    default:
      return http.get(`${COLLECTION}/records?limit=50`, { headers, tags: { name: "page" } });
  }
}

export default function () {
  check(send(exec.scenario.iterationInTest), { served: (answer) => answer.status >= 200 && answer.status < 300 });
}
