//! A name server's answers, and who asks it.

use std::net::{Ipv4Addr, SocketAddr};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType, rdata::A};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};

use crate::BoxError;

/// The address of every name.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The answer of a name server to a question: [`ADDRESS`], if it asks for one.
pub fn dns_answer(question: &[u8]) -> Result<Vec<u8>, BoxError> {
    let mut answer = Message::from_vec(question)?.into_response();
    answer.metadata.response_code = ResponseCode::NoError;
    let asked = answer.queries.first().filter(|asked| asked.query_type() == RecordType::A);
    if let Some(name) = asked.map(|asked| asked.name().clone()) {
        answer.add_answer(Record::from_rdata(name, 60, RData::A(A::from(ADDRESS))));
    }
    Ok(answer.to_vec()?)
}

/// One name server, over UDP.
pub fn dns_config(server: SocketAddr) -> ResolverConfig {
    let mut over = ConnectionConfig::udp();
    over.port = server.port();
    ResolverConfig::from_parts(None, vec![], vec![NameServerConfig::new(server.ip(), true, vec![over])])
}
