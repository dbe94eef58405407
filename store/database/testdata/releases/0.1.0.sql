-- schema 1
-- table clusters "id","name","connection","kubeconfig","base_domain","ingress_class","storage_class","region","visibility","lifecycle","capacity","uid","version","simulated","created_at","seen_at"
-- table counters "name","value"
-- table events "number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what"
-- table invitation_mails "id","invitation_id","email","user_id","sent_at"
-- table login_links "secret_hash","created_at","expires_at","used_at"
-- table plans "name","label","position","stores","cpu","memory","disk","pods","updated_at"
-- table teams "id","name","search","personal","plan","created_at","deleted_at"
-- table used_states "state_hash","expires_at"
-- table users "id","name","email","search","admin","disabled","created_at","last_seen_at"
-- table api_tokens "id","user_id","team_id","name","token_hash","scopes","created_at","last_used_at","expires_at"
-- table idempotency_keys "user_id","key","digest","answer","created_at"
-- table identities "provider","subject","user_id","email","verified","created_at","used_at"
-- table invitations "id","team_id","email","role","secret_hash","invited_by","created_at","expires_at","used_at","revoked_at"
-- table mails "id","event","user_id","tries","due_at","created_at"
-- table memberships "team_id","user_id","role","created_at"
-- table sessions "id_hash","user_id","device","address","created_at","last_seen_at","expires_at"
-- table stores "id","team_id","cluster_id","name","slug","namespace","host","engine","template","country","currency","owner_email","plan","status","desired","generation","observed_generation","job_id","revision","sold","chart_version","url","admin_url","volumes","health","search","created_by","created_at","ready_at","deleted_at","updated_at"
-- table jobs "id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until"
-- table revisions "store_id","number","generation","change","chart_version","version","offer","state","kept","failure","actor_id","actor","began_at","ended_at"
DELETE FROM revisions;
DELETE FROM jobs;
DELETE FROM stores;
DELETE FROM sessions;
DELETE FROM memberships;
DELETE FROM mails;
DELETE FROM invitations;
DELETE FROM identities;
DELETE FROM idempotency_keys;
DELETE FROM api_tokens;
DELETE FROM users;
DELETE FROM used_states;
DELETE FROM teams;
DELETE FROM plans;
DELETE FROM login_links;
DELETE FROM invitation_mails;
DELETE FROM events;
DELETE FROM counters;
DELETE FROM clusters;
INSERT INTO clusters ("id","name","connection","kubeconfig","base_domain","ingress_class","storage_class","region","visibility","lifecycle","capacity","uid","version","simulated","created_at","seen_at") VALUES ('01a22a71-9abf-7aa3-8618-6a7b23bba160', 'local', 'configured', '', 'localhost', '', '', '', 'public', 'active', 0, '', '', FALSE, 1796008417983670, 0);
INSERT INTO counters ("name","value") VALUES ('claims', 4);
INSERT INTO counters ("name","value") VALUES ('events', 16);
INSERT INTO counters ("name","value") VALUES ('invitation mails', 0);
INSERT INTO counters ("name","value") VALUES ('mail', -1);
INSERT INTO counters ("name","value") VALUES ('pruned', 0);
INSERT INTO counters ("name","value") VALUES ('readers', 1);
INSERT INTO counters ("name","value") VALUES ('users', 0);
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (1, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '', '', '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', '', '', 'user.signed_in', '', 'Ärger & "Tee"\N	
''; -- 東京 🍵 ß', '{"method":"test"}', TRUE, 1796008417984556, 'mara

', 'mara


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (10, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9afa-7521-a90a-18080cd4f74b', '', '', '', '', 'step.progressed', 'release', 'Worn', '{"generation":1,"status":"provisioning","note":{"code":"release_recorded","facts":{"revision":1}}}', FALSE, 1796008418066638, '', '');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (11, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9afa-7521-a90a-18080cd4f74b', '', '', '', '', 'step.finished', 'release', 'Worn', '{"generation":1,"status":"provisioning"}', FALSE, 1796008418069001, '', '');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (12, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9afa-7521-a90a-18080cd4f74b', '', '', '', '', 'store.ready', 'ready', 'Worn', '{"generation":1,"status":"ready"}', FALSE, 1796008418069001, '', '');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (13, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9b1a-765d-ad77-66034a022914', '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', '', '', 'store.upgrade_asked', '', 'Worn', '{"generation":2,"status":"upgrading","change":{"kind":"upgrade","from":1,"stay":true,"chart":"1.1.0","chart_before":"1.0.0","revision_before":1,"images":{"shop":"2"}}}', TRUE, 1796008418073993, 'mara

', 'worn


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (14, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9b1a-765d-ad77-66034a022914', '', '', '', '', 'step.progressed', '', 'Worn', '{"generation":2,"status":"upgrading","note":{"code":"release_recorded","facts":{"revision":2}}}', FALSE, 1796008418081794, '', '');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (15, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9b1a-765d-ad77-66034a022914', '', '', '', '', 'store.failed', '', 'Worn', '{"generation":2,"status":"failed","failure":{"code":"image_not_pulled","facts":{"pod":"shop-0","container":"shop","image":"example.com/shop:2"},"at":"2026-11-30T03:13:38.087716Z"}}', FALSE, 1796008418087716, '', '');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (16, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9b2c-7344-8551-20a2cb3479b2', '01a22a71-9b2c-734e-a339-2011c9a3a77d', '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', '', '', 'store.created', '', 'Tea & Tonic', '{"generation":1,"status":"provisioning"}', TRUE, 1796008418091036, 'mara

', 'tea & tonic


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (2, '01a22a71-9ac3-7796-bc09-3e7d09097457', '', '', '01a22a71-9ac3-7794-a929-4062cced960a', 'zoe', '', '', 'user.signed_in', '', 'zoe', '{"method":"test"}', TRUE, 1796008417987444, 'zoe

', 'zoe


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (3, '01a22a71-9ac6-733d-b3a4-0509266a65db', '', '', '01a22a71-9ac6-733a-a37a-d6721ef4ec29', 'Zed', '', '', 'user.signed_in', '', 'Zed', '{"method":"test"}', TRUE, 1796008417990170, 'zed

', 'zed


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (4, '01a22a71-9ac7-795a-a53c-8e961ac6eb9a', '', '', '01a22a71-9ac7-7958-b934-08b61d865a2d', 'älva', '', '', 'user.signed_in', '', 'älva', '{"method":"test"}', TRUE, 1796008417991572, 'alva

', 'alva


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (5, '01a22a71-9acc-7d85-a944-e98f3ca6ca1b', '', '', '01a22a71-9acc-7d82-aad2-eaa5c59c394e', '_x', '', '', 'user.signed_in', '', '_x', '{"method":"test"}', TRUE, 1796008417996841, '_x

', '_x


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (6, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9afa-7521-a90a-18080cd4f74b', '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', '', '', 'store.created', '', 'Worn', '{"generation":1,"status":"provisioning"}', TRUE, 1796008418041565, 'mara

', 'worn


');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (7, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9afa-7521-a90a-18080cd4f74b', '', '', '', '', 'step.started', 'namespace', 'Worn', '{"generation":1,"status":"provisioning"}', FALSE, 1796008418059695, '', '');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (8, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9afa-7521-a90a-18080cd4f74b', '', '', '', '', 'step.finished', 'namespace', 'Worn', '{"generation":1,"status":"provisioning","note":{"code":"namespace_created"}}', FALSE, 1796008418065153, '', '');
INSERT INTO events ("number","team_id","store_id","job_id","actor_id","actor","token","address","kind","step","object","data","audit","created_at","who","what") VALUES (9, '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9afa-7521-a90a-18080cd4f74b', '', '', '', '', 'step.started', 'release', 'Worn', '{"generation":1,"status":"provisioning"}', FALSE, 1796008418065153, '', '');
INSERT INTO invitation_mails ("id","invitation_id","email","user_id","sent_at") VALUES ('mail', 'invitation', 'zoe@example.com', '01a22a71-9ac0-7d59-b580-75cf07579726', 9223372036854775807);
INSERT INTO login_links ("secret_hash","created_at","expires_at","used_at") VALUES ('link', 1, 2, 0);
INSERT INTO plans ("name","label","position","stores","cpu","memory","disk","pods","updated_at") VALUES ('free', 'Ärger & "Tee"\N	
''; -- 東京 🍵 ß', 1, 1, 5000, 6144, 20480, 10, 0);
INSERT INTO plans ("name","label","position","stores","cpu","memory","disk","pods","updated_at") VALUES ('pro', 'Pro', 3, 0, 8000, 16384, 51200, 30, 0);
INSERT INTO plans ("name","label","position","stores","cpu","memory","disk","pods","updated_at") VALUES ('standard', 'Standard', 2, 0, 5000, 8192, 20480, 20, 0);
INSERT INTO teams ("id","name","search","personal","plan","created_at","deleted_at") VALUES ('01a22a71-9ac0-7d5b-acba-899d0bf4d040', 'mara', 'mara', TRUE, 'pro', 1796008417984556, 0);
INSERT INTO teams ("id","name","search","personal","plan","created_at","deleted_at") VALUES ('01a22a71-9ac3-7796-bc09-3e7d09097457', 'zoe', 'zoe', TRUE, NULL, 1796008417987444, 0);
INSERT INTO teams ("id","name","search","personal","plan","created_at","deleted_at") VALUES ('01a22a71-9ac6-733d-b3a4-0509266a65db', 'Zed', 'zed', TRUE, NULL, 1796008417990170, 0);
INSERT INTO teams ("id","name","search","personal","plan","created_at","deleted_at") VALUES ('01a22a71-9ac7-795a-a53c-8e961ac6eb9a', 'älva', 'alva', TRUE, NULL, 1796008417991572, 0);
INSERT INTO teams ("id","name","search","personal","plan","created_at","deleted_at") VALUES ('01a22a71-9acc-7d85-a944-e98f3ca6ca1b', '_x', '_x', TRUE, NULL, 1796008417996841, 0);
INSERT INTO used_states ("state_hash","expires_at") VALUES ('state', 1);
INSERT INTO users ("id","name","email","search","admin","disabled","created_at","last_seen_at") VALUES ('01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 'mara@example.com', 'mara
mara@example.com', FALSE, FALSE, 1796008417984556, 1796008417984556);
INSERT INTO users ("id","name","email","search","admin","disabled","created_at","last_seen_at") VALUES ('01a22a71-9ac3-7794-a929-4062cced960a', 'zoe', 'zoe@example.com', 'zoe
zoe@example.com', FALSE, FALSE, 1796008417987444, 1796008417987444);
INSERT INTO users ("id","name","email","search","admin","disabled","created_at","last_seen_at") VALUES ('01a22a71-9ac6-733a-a37a-d6721ef4ec29', 'Zed', 'Zed@example.com', 'zed
zed@example.com', FALSE, FALSE, 1796008417990170, 1796008417990170);
INSERT INTO users ("id","name","email","search","admin","disabled","created_at","last_seen_at") VALUES ('01a22a71-9ac7-7958-b934-08b61d865a2d', 'älva', 'älva@example.com', 'alva
alva@example.com', FALSE, FALSE, 1796008417991572, 1796008417991572);
INSERT INTO users ("id","name","email","search","admin","disabled","created_at","last_seen_at") VALUES ('01a22a71-9acc-7d82-aad2-eaa5c59c394e', '_x', '_x@example.com', '_x
_x@example.com', FALSE, FALSE, 1796008417996841, 1796008417996841);
INSERT INTO api_tokens ("id","user_id","team_id","name","token_hash","scopes","created_at","last_used_at","expires_at") VALUES ('token', '01a22a71-9ac0-7d59-b580-75cf07579726', '01a22a71-9ac0-7d5b-acba-899d0bf4d040', 'Ärger & "Tee"\N	
''; -- 東京 🍵 ß', 'hash', 'stores:read', 1, 0, 2);
INSERT INTO idempotency_keys ("user_id","key","digest","answer","created_at") VALUES ('01a22a71-9ac0-7d59-b580-75cf07579726', 'key', 'digest', 'Ärger & "Tee"\N	
''; -- 東京 🍵 ß', 1);
INSERT INTO identities ("provider","subject","user_id","email","verified","created_at","used_at") VALUES ('test', 'Zed', '01a22a71-9ac6-733a-a37a-d6721ef4ec29', 'zed@example.com', TRUE, 1796008417990170, 1796008417990170);
INSERT INTO identities ("provider","subject","user_id","email","verified","created_at","used_at") VALUES ('test', '_x', '01a22a71-9acc-7d82-aad2-eaa5c59c394e', '_x@example.com', TRUE, 1796008417996841, 1796008417996841);
INSERT INTO identities ("provider","subject","user_id","email","verified","created_at","used_at") VALUES ('test', 'mara', '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara@example.com', TRUE, 1796008417984556, 1796008417984556);
INSERT INTO identities ("provider","subject","user_id","email","verified","created_at","used_at") VALUES ('test', 'zoe', '01a22a71-9ac3-7794-a929-4062cced960a', 'zoe@example.com', TRUE, 1796008417987444, 1796008417987444);
INSERT INTO identities ("provider","subject","user_id","email","verified","created_at","used_at") VALUES ('test', 'älva', '01a22a71-9ac7-7958-b934-08b61d865a2d', 'älva@example.com', TRUE, 1796008417991572, 1796008417991572);
INSERT INTO invitations ("id","team_id","email","role","secret_hash","invited_by","created_at","expires_at","used_at","revoked_at") VALUES ('invitation', '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '', 'viewer', 'secret', '01a22a71-9ac0-7d59-b580-75cf07579726', 1, 2, 0, 0);
INSERT INTO mails ("id","event","user_id","tries","due_at","created_at") VALUES ('mail', 1, '01a22a71-9ac0-7d59-b580-75cf07579726', 0, -1, 2);
INSERT INTO memberships ("team_id","user_id","role","created_at") VALUES ('01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9ac0-7d59-b580-75cf07579726', 'owner', 1796008417984556);
INSERT INTO memberships ("team_id","user_id","role","created_at") VALUES ('01a22a71-9ac3-7796-bc09-3e7d09097457', '01a22a71-9ac3-7794-a929-4062cced960a', 'owner', 1796008417987444);
INSERT INTO memberships ("team_id","user_id","role","created_at") VALUES ('01a22a71-9ac6-733d-b3a4-0509266a65db', '01a22a71-9ac6-733a-a37a-d6721ef4ec29', 'owner', 1796008417990170);
INSERT INTO memberships ("team_id","user_id","role","created_at") VALUES ('01a22a71-9ac7-795a-a53c-8e961ac6eb9a', '01a22a71-9ac7-7958-b934-08b61d865a2d', 'owner', 1796008417991572);
INSERT INTO memberships ("team_id","user_id","role","created_at") VALUES ('01a22a71-9acc-7d85-a944-e98f3ca6ca1b', '01a22a71-9acc-7d82-aad2-eaa5c59c394e', 'owner', 1796008417996841);
INSERT INTO sessions ("id_hash","user_id","device","address","created_at","last_seen_at","expires_at") VALUES ('199295724ace4d96a05a326dfda37c3ccf7af58a0590729abc2aaa37a95b31b2', '01a22a71-9ac7-7958-b934-08b61d865a2d', '', '', 1796008417991572, 1796008417991572, 1796613217991572);
INSERT INTO sessions ("id_hash","user_id","device","address","created_at","last_seen_at","expires_at") VALUES ('3eacbc6b5a428d6ac3c55bdc08f570623c56f100c44f5dcfa74ebdf4a71eacce', '01a22a71-9acc-7d82-aad2-eaa5c59c394e', '', '', 1796008417996841, 1796008417996841, 1796613217996841);
INSERT INTO sessions ("id_hash","user_id","device","address","created_at","last_seen_at","expires_at") VALUES ('9406ea4f3b6cb64d8e132e93a2083b0c711cd0dfc415810e04f0b53cd4845b7a', '01a22a71-9ac6-733a-a37a-d6721ef4ec29', '', '', 1796008417990170, 1796008417990170, 1796613217990170);
INSERT INTO sessions ("id_hash","user_id","device","address","created_at","last_seen_at","expires_at") VALUES ('b25fcac764c429775154502e3f1b067c7ae0fb944e8944cb6357012005eead82', '01a22a71-9ac0-7d59-b580-75cf07579726', '', '', 1796008417984556, 1796008417984556, 1796613217984556);
INSERT INTO sessions ("id_hash","user_id","device","address","created_at","last_seen_at","expires_at") VALUES ('d43a365dff8edf7acf978fdca4378bfc78f061348448db94e4ffb14d68395c73', '01a22a71-9ac3-7794-a929-4062cced960a', '', '', 1796008417987444, 1796008417987444, 1796613217987444);
INSERT INTO stores ("id","team_id","cluster_id","name","slug","namespace","host","engine","template","country","currency","owner_email","plan","status","desired","generation","observed_generation","job_id","revision","sold","chart_version","url","admin_url","volumes","health","search","created_by","created_at","ready_at","deleted_at","updated_at") VALUES ('01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'Worn', 'worn', 'store-worn', 'worn.localhost', 'woocommerce', '', 'DE', 'EUR', 'mara@example.com', 'standard', 'failed', 'present', 2, 2, '01a22a71-9b1a-765d-ad77-66034a022914', 2, 1, '1.1.0', 'http://worn.localhost', 'http://worn.localhost/admin', '["data-0"]', '{"last":{"at":"2026-11-30T03:13:38.069001Z","ok":true,"order":"7","steps":[{"name":"order","took":1300000000}],"address":{"outcome":"answers","note":{"code":"address_responds","facts":{"after":12000000}}}}}', 'worn
worn.localhost', '01a22a71-9ac0-7d59-b580-75cf07579726', 1796008418041565, 1796008418069001, 0, 1796008418087716);
INSERT INTO stores ("id","team_id","cluster_id","name","slug","namespace","host","engine","template","country","currency","owner_email","plan","status","desired","generation","observed_generation","job_id","revision","sold","chart_version","url","admin_url","volumes","health","search","created_by","created_at","ready_at","deleted_at","updated_at") VALUES ('01a22a71-9b2c-7344-8551-20a2cb3479b2', '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'Tea & Tonic', 'tea-and-tonic', 'store-tea-and-tonic', 'tea-and-tonic.localhost', 'woocommerce', '', 'DE', 'EUR', 'mara@example.com', 'standard', 'provisioning', 'present', 1, 0, '01a22a71-9b2c-734e-a339-2011c9a3a77d', 0, 0, '', '', '', 'null', '{}', 'tea & tonic
tea-and-tonic.localhost', '01a22a71-9ac0-7d59-b580-75cf07579726', 1796008418091036, 0, 0, 1796008418091036);
INSERT INTO stores ("id","team_id","cluster_id","name","slug","namespace","host","engine","template","country","currency","owner_email","plan","status","desired","generation","observed_generation","job_id","revision","sold","chart_version","url","admin_url","volumes","health","search","created_by","created_at","ready_at","deleted_at","updated_at") VALUES ('store-1', '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'Shop number 1', 'shop-1', 'store-shop-1', 'shop-1.localhost', 'woocommerce', 'blank', 'DE', 'EUR', 'owner@example.com', 'standard', 'failed', 'present', 1, 1, 'job-1', 1, 1, '1.2.3', 'http://shop', 'http://shop/admin', '[]', '{}', 'shop number 1
shop-1.localhost', '01a22a71-9ac0-7d59-b580-75cf07579726', 1000001, 1000001, 0, 1000001);
INSERT INTO stores ("id","team_id","cluster_id","name","slug","namespace","host","engine","template","country","currency","owner_email","plan","status","desired","generation","observed_generation","job_id","revision","sold","chart_version","url","admin_url","volumes","health","search","created_by","created_at","ready_at","deleted_at","updated_at") VALUES ('store-2', '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'Shop number 2', 'shop-2', 'store-shop-2', 'shop-2.localhost', 'woocommerce', 'blank', 'DE', 'EUR', 'owner@example.com', 'standard', 'degraded', 'present', 1, 1, 'job-2', 1, 1, '1.2.3', 'http://shop', 'http://shop/admin', '[]', '{}', 'shop number 2
shop-2.localhost', '01a22a71-9ac0-7d59-b580-75cf07579726', 1000002, 1000002, 0, 1000002);
INSERT INTO stores ("id","team_id","cluster_id","name","slug","namespace","host","engine","template","country","currency","owner_email","plan","status","desired","generation","observed_generation","job_id","revision","sold","chart_version","url","admin_url","volumes","health","search","created_by","created_at","ready_at","deleted_at","updated_at") VALUES ('store-3', '01a22a71-9ac0-7d5b-acba-899d0bf4d040', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'Shop number 3', 'shop-3', 'store-shop-3', 'shop-3.localhost', 'woocommerce', 'blank', 'DE', 'EUR', 'owner@example.com', 'standard', 'ready', 'present', 1, 1, 'job-3', 1, 1, '1.2.3', 'http://shop', 'http://shop/admin', '[]', '{}', 'shop number 3
shop-3.localhost', '01a22a71-9ac0-7d59-b580-75cf07579726', 1000003, 1000003, 0, 1000003);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('01a22a71-9afa-7521-a90a-18080cd4f74b', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'open', TRUE, 'done', 0, 1796008418041565, '{}', 'ready', '{}', '{"applied":1}', 1, 0, '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1796008418041565, 1796008418059695, 1796008418069001, '', 2, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('01a22a71-9b16-7202-8f38-87a1367db38a', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'check', FALSE, 'cancelled', 10, 1796012018069001, '{}', '', '{}', '{}', 1, 0, '', '', 1796008418069001, 0, 1796008418073993, '', 0, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('01a22a71-9b1a-765d-ad77-66034a022914', '01a22a71-9afa-7514-940f-589a7f8dd2e8', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'change', TRUE, 'failed', 0, 1796008418073993, '{"change":{"kind":"upgrade","from":1,"stay":true,"chart":"1.1.0","chart_before":"1.0.0","revision_before":1,"images":{"shop":"2"}}}', '', '{"code":"release_recorded","facts":{"revision":2}}', '{"applied":2,"failure":{"code":"image_not_pulled","facts":{"pod":"shop-0","container":"shop","image":"example.com/shop:2"},"evidence":[{"object":"pod/shop-0","reason":"Failed","message":"Ärger \u0026 \"Tee\"\\N\t\r\n''; -- 東京 🍵 ß","count":3}],"helm_log":["upgrade"],"last_words":{"pod":"shop-0","container":"shop","lines":["Ärger \u0026 \"Tee\"\\N\t\r\n''; -- 東京 🍵 ß"]},"at":"2026-11-30T03:13:38.087716Z"}}', 1, 0, '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1796008418073993, 0, 1796008418087716, '', 3, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('01a22a71-9b2c-734e-a339-2011c9a3a77d', '01a22a71-9b2c-7344-8551-20a2cb3479b2', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'open', TRUE, 'pending', 0, 1796008418091036, '{}', '', '{}', '{}', 1, 0, '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1796008418091036, 0, 0, '', 0, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('check-store-1', 'store-1', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'check', FALSE, 'pending', 10, 3000000001000001, '{}', '', '{}', '{}', 1, 0, '', '', 1000001, 0, 0, '', 0, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('check-store-2', 'store-2', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'check', FALSE, 'pending', 10, 3000000001000002, '{}', '', '{}', '{}', 1, 0, '', '', 1000002, 0, 0, '', 0, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('check-store-3', 'store-3', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'check', FALSE, 'pending', 10, 3000000001000003, '{}', '', '{}', '{}', 1, 0, '', '', 1000003, 0, 0, '', 0, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('job-1', 'store-1', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'open', TRUE, 'done', 0, 1000001, '{}', 'ready', '{}', '{}', 1, 0, '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1000001, 1000001, 1000001, '', 0, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('job-2', 'store-2', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'open', TRUE, 'done', 0, 1000002, '{}', 'ready', '{}', '{}', 1, 0, '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1000002, 1000002, 1000002, '', 0, 0);
INSERT INTO jobs ("id","store_id","cluster_id","kind","exclusive","state","priority","due","args","step","note","result","attempt","worked","asked_by","asked_by_name","asked_at","began_at","ended_at","holder","claim_number","claim_until") VALUES ('job-3', 'store-3', '01a22a71-9abf-7aa3-8618-6a7b23bba160', 'open', TRUE, 'done', 0, 1000003, '{}', 'ready', '{}', '{}', 1, 0, '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1000003, 1000003, 1000003, '', 0, 0);
INSERT INTO revisions ("store_id","number","generation","change","chart_version","version","offer","state","kept","failure","actor_id","actor","began_at","ended_at") VALUES ('01a22a71-9afa-7514-940f-589a7f8dd2e8', 1, 1, '{}', '1.0.0', '', 'offer of 1.0.0', 'deployed', TRUE, '{}', '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1796008418041565, 1796008418069001);
INSERT INTO revisions ("store_id","number","generation","change","chart_version","version","offer","state","kept","failure","actor_id","actor","began_at","ended_at") VALUES ('01a22a71-9afa-7514-940f-589a7f8dd2e8', 2, 2, '{"kind":"upgrade","from":1,"stay":true,"chart":"1.1.0","chart_before":"1.0.0","revision_before":1,"images":{"shop":"2"}}', '1.1.0', '', 'offer of 1.1.0', 'failed', TRUE, '{"code":"image_not_pulled","facts":{"pod":"shop-0","container":"shop","image":"example.com/shop:2"},"at":"2026-11-30T03:13:38.087716Z"}', '01a22a71-9ac0-7d59-b580-75cf07579726', 'mara', 1796008418073993, 1796008418087716);
INSERT INTO revisions ("store_id","number","generation","change","chart_version","version","offer","state","kept","failure","actor_id","actor","began_at","ended_at") VALUES ('01a22a71-9b2c-7344-8551-20a2cb3479b2', 1, 1, '{}', '1.2.3', '', 'offer', 'deployed', TRUE, '{}', '', 'Ärger & "Tee"\N	
''; -- 東京 🍵 ß', 1, 2);
INSERT INTO revisions ("store_id","number","generation","change","chart_version","version","offer","state","kept","failure","actor_id","actor","began_at","ended_at") VALUES ('01a22a71-9b2c-7344-8551-20a2cb3479b2', 2, 1, '{}', '1.2.3', '', 'offer', 'failed', FALSE, '{}', 'Ärger & "Tee"\N	
''; -- 東京 🍵 ß', '', 1, 2);
