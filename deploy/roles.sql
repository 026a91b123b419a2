-- Roles and database on a PostgreSQL of your own (15 or newer); run once as its superuser:
--   psql -v owner_password=... -v web_password=... -v worker_password=... -v backup_password=... -f roles.sql
CREATE ROLE xuezheng_owner LOGIN NOSUPERUSER NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE xuezheng_web LOGIN NOSUPERUSER NOCREATEROLE PASSWORD :'web_password';
CREATE ROLE xuezheng_worker LOGIN NOSUPERUSER NOCREATEROLE PASSWORD :'worker_password';
CREATE ROLE xuezheng_backup LOGIN NOSUPERUSER NOCREATEROLE BYPASSRLS PASSWORD :'backup_password';
GRANT xuezheng_web, xuezheng_worker TO xuezheng_owner;
GRANT pg_read_all_data TO xuezheng_backup;
ALTER ROLE xuezheng_backup SET default_transaction_read_only = on;
-- So that `xuezheng restore --verify` can make its throwaway database; leave it out otherwise.
ALTER ROLE xuezheng_owner CREATEDB;

CREATE DATABASE xuezheng OWNER xuezheng_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';
REVOKE ALL ON DATABASE xuezheng FROM PUBLIC;
GRANT CONNECT ON DATABASE xuezheng TO xuezheng_web, xuezheng_worker, xuezheng_backup;
GRANT TEMPORARY ON DATABASE xuezheng TO xuezheng_web, xuezheng_worker;
\connect xuezheng
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO xuezheng_web, xuezheng_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE xuezheng_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO xuezheng_web, xuezheng_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE xuezheng_owner GRANT USAGE ON SEQUENCES TO xuezheng_web, xuezheng_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE xuezheng_owner GRANT USAGE ON SCHEMAS TO xuezheng_web, xuezheng_worker;
