//! Named external connections for servers: the host, sessions, statements, and open()
