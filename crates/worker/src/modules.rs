//! Opens modules, finds functions of scripts, and has it decided which modules PHP may use.
//!
//! The decision is Python's (`tortoise_worker.modules`). It is asked for once for each module that PHP holds, when PHP
//! first uses it: an object that is no module carries a flag that says so, and nothing more is done about it.

use crate::answer::Answer;
use crate::dispatch::{Handled, State};
use crate::from_wire::Request;
use crate::gate::Gate;
use pyo3::prelude::*;

/// Characters of a script's name in a message.
const SHOWN_CHARACTERS: usize = 80;

impl State {
    /// `Import`: the module of a name, which is always an object.
    pub(crate) fn import(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let name = request.reader.name("the name of a module")?;
        request.end()?;
        let module =
            self.hooks.open_module.bind(py).call1((name,)).map_err(|error| self.refusal_or_raised(py, error))?;
        let reference = self.table.borrow(py)?.hand_out(&module, &mut answer.given);
        answer.writer().object(reference);
        Ok(())
    }

    /// `Script`: a function of a script, which is an object whatever it is.
    pub(crate) fn script(&self, py: Python<'_>, request: &mut Request<'_>, answer: &mut Answer) -> Handled {
        let script = request.reader.name("the name of a script")?;
        let name = request.reader.name("the name of a function")?;
        let shown = || format!("script {:?}", script.chars().take(SHOWN_CHARACTERS).collect::<String>());
        request.end()?;
        Gate::check(name, shown)?;
        let found = self.hooks.script_function.bind(py).call1((script, name));
        let function = found.map_err(|error| self.refusal_or_raised(py, error))?;
        let reference = self.table.borrow(py)?.hand_out(&function, &mut answer.given);
        answer.writer().object(reference);
        Ok(())
    }

    /// Lets PHP use a module that it holds under this id.
    ///
    /// # Errors
    /// A failure that names the module, and the setting that would let it in.
    pub(crate) fn pass_module(&self, py: Python<'_>, id: u64, module: &Bound<'_, PyAny>) -> Handled {
        self.hooks.check_module.bind(py).call1((module,)).map_err(|error| self.refusal_or_raised(py, error))?;
        self.table.borrow(py)?.open(id);
        Ok(())
    }
}
