//! Opens modules, finds functions of scripts, and has it decided which modules PHP may use.
//!
//! The decision is Python's (`tortoise_worker.modules`). It is asked for once for each module that PHP holds, when PHP
//! first uses it: an object that is no module carries a flag that says so, and nothing more is done about it.

use pyo3::prelude::*;
use tortoise_protocol::{Reader, Writer};

use crate::dispatch::{Handled, State};
use crate::gate::Gate;

/// Characters of a script's name in a message.
const SHOWN_CHARACTERS: usize = 80;

impl<'py> State<'py> {
    /// `Import`: the module of a name, which is always an object.
    pub(crate) fn import(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let name = reader.name("the name of a module")?;
        reader.end()?;
        let module = self.hooks.open_module.call1((name,)).map_err(|error| self.refusal_or_raised(py, error))?;
        let reference = self.table.hand_out(&module);
        Writer::new(reply).object(reference);
        Ok(())
    }

    /// `Script`: a function of a script, which is an object whatever it is.
    pub(crate) fn script(&mut self, py: Python<'py>, reader: &mut Reader<'_>, reply: &mut Vec<u8>) -> Handled {
        let script = reader.name("the name of a script")?;
        let name = reader.name("the name of a function")?;
        let shown = || format!("script {:?}", script.chars().take(SHOWN_CHARACTERS).collect::<String>());
        reader.end()?;
        Gate::check(name, shown)?;
        let found = self.hooks.script_function.call1((script, name));
        let function = found.map_err(|error| self.refusal_or_raised(py, error))?;
        let reference = self.table.hand_out(&function);
        Writer::new(reply).object(reference);
        Ok(())
    }

    /// Lets PHP use a module that it holds under this id.
    ///
    /// # Errors
    /// A failure that names the module, and the setting that would let it in.
    pub(crate) fn pass_module(&mut self, py: Python<'py>, id: u64, module: &Bound<'py, PyAny>) -> Handled {
        self.hooks.check_module.call1((module,)).map_err(|error| self.refusal_or_raised(py, error))?;
        self.table.open(id);
        Ok(())
    }
}
