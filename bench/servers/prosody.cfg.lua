-- As Debian packages it, on loopback, TLS only for who begins it, without server-to-server connections and rate limits.
daemonize = false
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ warn = "*console" }}
network_backend = "epoll"
{tuning}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
password_hash = "SHA-256"
default_iteration_count = 4096
modules_enabled = {{ {modules} }}
modules_disabled = {{ "s2s", {disabled} }}
ssl = {{ certificate = "{certificate}", key = "{certificate}" }}
VirtualHost "localhost"
