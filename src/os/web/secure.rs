//! TLS with whom the system trusts.

use std::{io, path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Variables;

/// Finds out that this is `host`.
pub(super) async fn greet(
    tcp: TcpStream,
    host: &str,
    variables: Variables<'_>,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let [file, dir] = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(variables);
    let reading = tokio::task::spawn_blocking(move || config(file.as_deref(), dir.as_deref()));
    let config = reading.await.map_err(io::Error::other)??;
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

/// The system's roots, or those that the variables name instead, as with OpenSSL.
fn config(file: Option<&str>, dir: Option<&str>) -> io::Result<ClientConfig> {
    let path = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (file, dir) = (path(file), path(dir));
    let found = if file.is_some() || dir.is_some() {
        load_certs_from_paths(file.as_deref().map(Path::new), dir.as_deref().map(Path::new))
    } else {
        load_native_certs()
    };
    let CertificateResult { certs, errors, .. } = found;
    let mut roots = RootCertStore::empty();
    // What somebody has put there that is no certificate is no reason to trust nobody.
    roots.add_parsable_certificates(certs);
    if roots.is_empty() {
        let why = errors.first().map_or_else(String::new, |error| format!(": {error}"));
        return Err(io::Error::other(format!("the system has no certificates to trust{why}")));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
