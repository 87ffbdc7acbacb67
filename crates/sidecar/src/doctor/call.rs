//! A test call with its latency, through the sidecar of the settings, or through one that is started for it.

use std::time::Duration;

use super::Check;
use crate::client::{self, Client, ClientError};
use crate::commands::Admin;
use crate::settings::Given;
use crate::target::Target;
use crate::temporary::Temporary;

/// Calls whose times are looked at.
const CALLS: usize = 200;

/// A session that takes longer for an answer hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls through a sidecar that answers at `target`, and asks it where it logs.
pub(super) async fn through(target: Target) -> Vec<Check> {
    let name = format!("test call over {}", target.address);
    let log_name = format!("log of {}", target.address);
    let called = tokio::task::spawn_blocking(move || {
        let told = Admin::connect(target.clone()).and_then(|mut admin| admin.ask("status"));
        let log = match told.ok().as_ref().and_then(|status| status.get("log")?.as_str()) {
            Some(log) => log.to_owned(),
            None => target.log.to_string(),
        };
        (call(&target), log)
    });
    match called.await {
        Ok((Ok(finding), log)) => vec![Check::ok(name, finding), Check::ok(log_name, log)],
        Ok((Err(error), log)) => {
            vec![Check::failure(name, error.to_string(), "look at the sidecar's log"), Check::ok(log_name, log)]
        }
        Err(error) => vec![Check::failure(name, error.to_string(), "run the doctor again")],
    }
}

/// Calls through a sidecar that is started for it, as PHP starts one with `tortoise.server=auto`.
pub(super) async fn through_a_private_one(mut given: Given) -> Check {
    let name = "test call";
    if given.path.is_empty() {
        // A sidecar that serves nothing does not start.
        given.values.modules = Some(vec!["json".to_owned()]);
    }
    let called = tokio::task::spawn_blocking(move || {
        let sidecar = Temporary::start(&given)?;
        call(sidecar.target()).map_err(|error| error.to_string())
    });
    match called.await {
        Ok(Ok(finding)) => Check::ok(name, format!("through a private sidecar, {finding}")),
        Ok(Err(error)) => Check::failure(name, error, "correct what it names; PHP's private sidecar needs the same"),
        Err(error) => Check::failure(name, error.to_string(), "run the doctor again"),
    }
}

fn call(target: &Target) -> Result<String, ClientError> {
    let mut client = Client::connect(target, true)?;
    client.set_timeout(Some(PATIENCE))?;
    let time = client::time_calls(&mut client, CALLS)?;
    Ok(format!(
        "{:.1} µs for a call over {}, in session process {} with Python {}",
        time.as_secs_f64() * 1e6,
        client.carrier(),
        client.welcome().process,
        client.welcome().python
    ))
}
