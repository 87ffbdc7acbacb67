//! What a client may have: its hello against the settings.

use std::path::Path;

use tortoise_protocol::PRODUCT_VERSION;
use tortoise_protocol::handshake::{Hello, Refusal};

use crate::control::Session;
use crate::settings::{Root, Settings};

/// Who decides on class roots and modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The client: this is its private sidecar, and it runs as the same user.
    Believe,
    /// The settings: a client can only narrow them.
    Narrow {
        /// Class roots.
        path: Vec<Root>,
        /// Patterns of modules.
        modules: Vec<String>,
    },
}

impl Admission {
    /// What these settings allow.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self::Narrow { path: settings.path.clone(), modules: settings.modules.clone() }
    }

    /// The session that this client gets.
    ///
    /// # Errors
    /// A [`Refusal`] that says what does not fit.
    pub fn decide(&self, hello: Hello) -> Result<Session, Refusal> {
        if hello.product != PRODUCT_VERSION {
            return Err(Refusal::of_version(&hello.product));
        }
        let (client, shared_memory) = (hello.process, hello.shared_memory);
        match self {
            Self::Believe => match hello.roots.iter().find(|root| !Path::new(root).is_absolute()) {
                Some(root) => Err(refusal(format!("the class root {root:?} is not an absolute path"))),
                None => Ok(Session {
                    roots: hello.roots,
                    modules: hello.modules,
                    asked_modules: Vec::new(),
                    client,
                    shared_memory,
                    stale: false,
                    served: None,
                }),
            },
            Self::Narrow { path, modules } => {
                let roots = narrow(path, &hello.roots, |root, asked| {
                    let asked = asked.trim_end_matches('/');
                    asked == root.canonical || asked == root.absolute
                });
                if roots.is_empty() && !path.is_empty() {
                    let served: Vec<_> = path.iter().map(|root| &root.canonical).collect();
                    return Err(refusal(format!(
                        "none of the class roots {:?} is served here; tortoise.path can only choose among {served:?}, \
                         which is the sidecar's own path",
                        hello.roots
                    )));
                }
                Ok(Session {
                    roots: roots.into_iter().map(|root| root.canonical.clone()).collect(),
                    // Of two lists of patterns there is no list of what both let in: the session asks both.
                    modules: modules.clone(),
                    asked_modules: hello.modules,
                    client,
                    shared_memory,
                    stale: false,
                    served: Some(path.iter().map(|root| [root.canonical.clone(), root.absolute.clone()]).collect()),
                })
            }
        }
    }
}

/// Those of `ours` that the client asks for; all, if it asks for none.
fn narrow<'a>(ours: &'a [Root], asked: &[String], same: impl Fn(&Root, &str) -> bool) -> Vec<&'a Root> {
    ours.iter().filter(|ours| asked.is_empty() || asked.iter().any(|asked| same(ours, asked))).collect()
}

fn refusal(message: String) -> Refusal {
    Refusal { message, retry: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(roots: &[&str], modules: &[&str]) -> Hello {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Hello {
            product: PRODUCT_VERSION.to_owned(),
            process: 9,
            roots: texts(roots),
            modules: texts(modules),
            shared_memory: true,
            token: None,
        }
    }

    fn narrowing() -> Admission {
        let root = |canonical: &str, absolute: &str| Root { canonical: canonical.into(), absolute: absolute.into() };
        Admission::Narrow {
            path: vec![root("/srv/1/classes", "/srv/current/classes"), root("/srv/shared", "/srv/shared")],
            modules: vec!["json".into(), "numpy.*".into()],
        }
    }

    #[test]
    fn a_private_sidecar_believes_its_client() {
        let session = Admission::Believe.decide(hello(&["/a", "/b"], &["re"])).expect("a session");
        let roots = vec!["/a".into(), "/b".into()];
        assert_eq!(
            session,
            Session {
                roots,
                modules: vec!["re".into()],
                asked_modules: Vec::new(),
                client: 9,
                shared_memory: true,
                stale: false,
                served: None
            }
        );
        let refusal = Admission::Believe.decide(hello(&["/a", "b"], &[])).expect_err("a relative root");
        assert!(refusal.message.contains("\"b\" is not an absolute path"), "{}", refusal.message);
    }

    #[test]
    fn a_client_that_asks_for_nothing_gets_all() {
        let session = narrowing().decide(hello(&[], &[])).expect("a session");
        assert_eq!(session.roots, ["/srv/1/classes", "/srv/shared"]);
        assert_eq!((session.modules, session.asked_modules), (vec!["json".into(), "numpy.*".into()], Vec::new()));
        let served = session.served.expect("a choice");
        assert_eq!(served, [["/srv/1/classes", "/srv/current/classes"], ["/srv/shared", "/srv/shared"]]);
    }

    #[test]
    fn a_client_narrows_by_either_spelling_and_never_widens() {
        for asked in ["/srv/current/classes", "/srv/1/classes/"] {
            let session = narrowing().decide(hello(&[asked, "/etc"], &["os", "json"])).expect("a session");
            assert_eq!(session.roots, ["/srv/1/classes"]);
            assert_eq!(session.modules, ["json", "numpy.*"]);
            assert_eq!(session.asked_modules, ["os", "json"]);
        }
    }

    #[test]
    fn a_client_that_asks_only_for_what_is_not_ours_is_told_what_is() {
        let refusal = narrowing().decide(hello(&["/etc"], &[])).expect_err("refused");
        for part in ["/etc", "/srv/1/classes", "/srv/shared", "tortoise.path"] {
            assert!(refusal.message.contains(part), "{part}: {}", refusal.message);
        }
        assert!(!refusal.retry);
    }

    #[test]
    fn another_product_version_is_named() {
        let hello = Hello { product: "9.9.9".into(), ..hello(&[], &[]) };
        let refusal = Admission::Believe.decide(hello).expect_err("refused");
        assert!(refusal.message.contains("9.9.9") && refusal.message.contains(PRODUCT_VERSION), "{}", refusal.message);
    }
}
