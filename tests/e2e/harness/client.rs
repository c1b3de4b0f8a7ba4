//! The few requests that tests make.

use serde_json::{Value, json};

use super::{PATIENCE, wait_for};

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The media type.
    pub(crate) content_type: String,
    /// The body as text.
    pub(crate) body: String,
    /// The body.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.body))
    }

    /// The body as JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// Where the server is.
    pub(crate) url: String,
    /// Sent with each request, when there is one.
    pub(crate) token: Option<String>,
    agent: ureq::Agent,
}

impl Client {
    /// A client of the server at this place.
    pub(crate) fn new(url: &str, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build();
        Self { url: url.to_owned(), token, agent: config.into() }
    }

    /// The same without a token.
    pub(crate) fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Sends a request, with headers beside the usual ones.
    pub(crate) fn send(&self, method: &str, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.try_send(method, path, body, headers).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// The same; an error when the server does not answer.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = if body.is_empty() && method != "POST" && method != "PUT" {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(body)?)?
        };
        let content_type = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
        let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer { status: response.status().as_u16(), content_type: content_type.unwrap_or_default(), body, bytes })
    }

    /// Any GET.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, b"", &[])
    }

    /// A GET that succeeds.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> Value {
        self.get(path).expect(200)
    }

    /// A POST with a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body.to_string().as_bytes(), &[("content-type", "application/json")])
    }

    /// A DELETE.
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, b"", &[])
    }

    /// Sends datapoints, which are accepted.
    #[track_caller]
    pub(crate) fn post_datapoints(&self, datapoints: &Value) {
        assert_eq!(self.post("/datapoints", datapoints).expect(200), json!({"detail": "OK"}));
    }

    /// Uploads a component without granting anything.
    pub(crate) fn upload(&self, name: &str, component: &[u8]) -> Answer {
        self.send("PUT", &format!("/api/v1/modules/{name}"), component, &[("content-type", "application/wasm")])
    }

    /// Uploads a component and grants what it asks for; it is in use afterwards.
    #[track_caller]
    pub(crate) fn install(&self, name: &str, component: &[u8]) -> Value {
        let path = format!("/api/v1/modules/{name}?grant_requested=true");
        let answer = self.send("PUT", &path, component, &[("content-type", "application/wasm")]).expect(200);
        assert_eq!(answer["state"], "active", "{answer}");
        answer["module"].clone()
    }

    /// The modules, in calling order: name, enabled, digest, and subscriptions that are switched on.
    pub(crate) fn running_set(&self) -> Value {
        let modules = self.read("/api/v1/modules");
        let brief = |m: &Value| json!({"name": m["name"], "enabled": m["enabled"], "digest": m["digest"], "loaded": m["loaded"]});
        let modules: Vec<Value> = modules["modules"].as_array().unwrap().iter().map(brief).collect();
        json!({"modules": modules, "hooks": self.read("/api/v1/hooks")["hooks"]})
    }

    /// Waits until nothing is pending and gives the status.
    #[track_caller]
    pub(crate) fn settle(&self) -> Value {
        let mut status = Value::Null;
        wait_for("the queue to become empty", || {
            status = self.read("/api/v1/status");
            status["tasks"]["pending"] == 0
        });
        status
    }

    /// Failures of hooks, newest first.
    pub(crate) fn errors(&self, module: &str) -> Vec<Value> {
        rows(&self.read(&format!("/api/v1/errors?limit=1000&module={module}"))["errors"])
    }

    /// Dead letters, newest first.
    pub(crate) fn deadletters(&self) -> Vec<Value> {
        rows(&self.read("/api/v1/deadletters?limit=1000")["deadletters"])
    }

    /// Raw datapoints, newest first; `query` such as `attr=hostname&eid=192.0.2.1`.
    pub(crate) fn raw(&self, etype: &str, query: &str) -> Vec<Value> {
        rows(&self.read(&format!("/entity/{etype}/raw/get?limit=0&{query}"))["data"])
    }

    /// The master record.
    pub(crate) fn master(&self, etype: &str, eid: &str) -> Value {
        self.read(&format!("/entity/{etype}/{eid}/master"))
    }

    /// Calls of a hook since the start.
    pub(crate) fn calls(&self, module: &str, hook: &str) -> u64 {
        let status = self.read("/api/v1/status");
        let calls = status["hook_calls"].as_array().unwrap();
        calls.iter().filter(|c| c["module"] == module && c["hook"] == hook).map(|c| c["calls"].as_u64().unwrap()).sum()
    }

    /// Every id of a type.
    pub(crate) fn ids(&self, etype: &str) -> Vec<Value> {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.read(&format!("/api/v1/entities/{etype}?limit=1000{after}"));
            ids.extend(rows(&page["entities"]).into_iter().map(|e| e["eid"].clone()));
            match &page["next"] {
                Value::Null => return ids,
                next => after = format!("&after={}", next.as_str().map_or_else(|| next.to_string(), str::to_owned)),
            }
        }
    }
}

fn rows(list: &Value) -> Vec<Value> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).clone()
}
