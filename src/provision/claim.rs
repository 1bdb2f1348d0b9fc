//! Whose a server's folder is: it goes by the names of project and service, which two folders may share.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use super::Request;
use crate::os::{
    file::write_atomic,
    project_file::{self, Unusable},
};

/// The file in a server's folder that names the folder of the project.
const NAME: &str = "project";

/// Takes the folder for the project, unless it is that of another one which is still there. One that is
/// nobody's yet is whose comes first.
pub(super) fn claim(home: &Path, request: &Request<'_>) -> Result<(), String> {
    let path = home.join(NAME);
    let owner = match fs::read(&path) {
        Ok(text) => Some(PathBuf::from(OsString::from_vec(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    };
    if let Some(owner) = owner {
        if is_same(&owner, request.dir) {
            return Ok(());
        }
        if is_theirs(&owner, request) {
            return Err(format!(
                "its data, {}, is that of the project in {}, which is called {} as well: give one of \
                 the two another `name` in `[project]`",
                home.display(),
                owner.display(),
                request.project
            ));
        }
        let (from, to) = (owner.display(), request.dir.display());
        tracing::info!(%from, %to, "data goes over to the folder that the project is in now");
    }
    write_atomic(&path, request.dir.as_os_str().as_bytes()).map_err(|error| error.to_string())
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Whether the project in that folder still has such a service of that name.
fn is_theirs(dir: &Path, request: &Request<'_>) -> bool {
    match project_file::plan(dir) {
        Ok(plan) => {
            let service = plan.service(request.service);
            let provision = service.and_then(|service| service.provision());
            plan.project == *request.project
                && provision.is_some_and(|it| it.product == request.provision.product)
        }
        Err(Unusable::Gone(_) | Unusable::Missing(_)) => false,
        // What it says will be known when it is mended.
        Err(Unusable::Unreadable { .. } | Unusable::Invalid(_)) => true,
    }
}
