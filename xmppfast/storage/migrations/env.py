"""What alembic runs to migrate; the connection is given by `xmppfast.storage._open`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
