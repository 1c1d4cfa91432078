//! Cancel-correct protocol drivers over well-kept wire libraries.
