//! Whose API a path is of, which says in what shape its answers are.

/// The three APIs of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// DP³'s: refusals are `{"detail": …}`.
    Dp3,
    /// Ours: refusals are `application/problem+json`.
    Ours,
    /// IRIS's: every answer is `{"status": …, "message": …, "data": …}`.
    Iris,
}

/// What IRIS's paths begin with.
const IRIS: [&str; 9] =
    ["/case/", "/manage/", "/global/", "/dim/", "/datastore/", "/alerts/", "/user/", "/api/ping", "/api/versions"];

impl Shape {
    /// Of a path, which may begin with more slashes than one.
    pub(crate) fn of(path: &str) -> Self {
        let rest = path.trim_start_matches('/');
        let is_iris = |start: &str| start.strip_prefix('/').is_some_and(|start| rest.starts_with(start));
        if IRIS.into_iter().any(is_iris) || rest == "search" {
            Self::Iris
        } else if rest.starts_with("api/") {
            Self::Ours
        } else {
            Self::Dp3
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_whose_it_is() {
        for path in ["/case/ioc/list", "//manage/customers/list", "/api/ping", "/api/versions", "/search"] {
            assert_eq!(Shape::of(path), Shape::Iris, "{path}");
        }
        for path in ["/", "/datapoints", "/entity/case/get", "/searching", "/v2/entity/ip/get", "/metrics"] {
            assert_eq!(Shape::of(path), Shape::Dp3, "{path}");
        }
        for path in ["/api/v1/status", "/api/", "//api/v1/status"] {
            assert_eq!(Shape::of(path), Shape::Ours, "{path}");
        }
    }
}
