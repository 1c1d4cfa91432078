//! What can be given as a socket address: an address itself, or `host:port` to look up.

use std::io;
use std::net::SocketAddr;

/// An address, or a name with a port.
pub enum Target {
    /// Needs no look-up.
    Addr(SocketAddr),
    /// A name and a port.
    Name(String, u16),
}

/// What can be given as a socket address.
pub trait ToAddr {
    /// Parses it; fails with `InvalidInput` if it is neither `ip:port` nor `name:port`.
    fn to_target(&self) -> io::Result<Target>;
}

impl ToAddr for SocketAddr {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addr(*self))
    }
}

impl ToAddr for str {
    fn to_target(&self) -> io::Result<Target> {
        if let Ok(addr) = self.parse() {
            return Ok(Target::Addr(addr));
        }
        let named = self.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
        match named {
            Some((name, port)) if !name.is_empty() && !name.contains(':') => {
                Ok(Target::Name(name.to_owned(), port))
            }
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{self}` is no socket address; write it as `127.0.0.1:8080` or `localhost:8080`"),
            )),
        }
    }
}

impl ToAddr for String {
    fn to_target(&self) -> io::Result<Target> {
        self.as_str().to_target()
    }
}

impl<T: ToAddr + ?Sized> ToAddr for &T {
    fn to_target(&self) -> io::Result<Target> {
        (**self).to_target()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_parse_and_nonsense_says_what_to_write() {
        assert!(matches!("127.0.0.1:80".to_target(), Ok(Target::Addr(_))));
        assert!(matches!("[::1]:80".to_target(), Ok(Target::Addr(_))));
        assert!(matches!("localhost:80".to_target(), Ok(Target::Name(n, 80)) if n == "localhost"));
        for bad in ["", ":", ":80", "host", "host:", "host:99999", "::1:80:x"] {
            let error = bad.to_target().err().unwrap_or_else(|| panic!("{bad:?} parsed"));
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains("127.0.0.1:8080"));
        }
    }
}
