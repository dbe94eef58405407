-- Medusa keeps whole URLs of its uploads: in image.url, product.thumbnail, copies of them in orders, and in
-- metadata. Every text in every table is looked at, so that a new version of Medusa is no other case.
-- Run by addresses.sh in one transaction, with the URLs "old" (empty if it isn't known) and "new".
SELECT set_config('restore.old', rtrim(:'old', '/'), true), set_config('restore.new', rtrim(:'new', '/'), true) \g /dev/null

DO $$
DECLARE
	site text := regexp_replace(current_setting('restore.old'), '^https?://', '');
	-- What follows must not make it another host or port.
	pattern text := 'https?://' || regexp_replace(site, '([^A-Za-z0-9])', '\\\1', 'g') || '(?![[:alnum:]_-]|\.[[:alnum:]_-]|:[0-9])';
	place record;
BEGIN
	IF site = '' OR current_setting('restore.old') = current_setting('restore.new') THEN
		RETURN;
	END IF;
	FOR place IN
		SELECT c.table_name, c.column_name, c.udt_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.udt_name IN ('text', 'varchar', 'json', 'jsonb') AND c.is_generated = 'NEVER'
	LOOP
		EXECUTE format('UPDATE public.%1$I SET %2$I = regexp_replace(%2$I::text, $1, $2, ''gi'')::%3$s WHERE strpos(lower(%2$I::text), $3) > 0',
			place.table_name, place.column_name, place.udt_name)
			USING pattern, current_setting('restore.new'), lower('://' || site);
	END LOOP;
END $$;

-- As in the setup's database.mjs.
CREATE TABLE IF NOT EXISTS shopwright_setup (name text PRIMARY KEY, value text NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO shopwright_setup (name, value) VALUES ('restored', 'yes') ON CONFLICT (name) DO NOTHING;
