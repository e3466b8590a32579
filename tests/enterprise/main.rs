//! What enterprises and the operator do: accounts, registry, codes, recalls, the log. One binary,
//! one module a story.
