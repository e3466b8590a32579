// express-pouchdb on LevelDB, on a free port of the loopback address, with its data in the folder
// named as the only argument. Says where it listens with one line of JSON. A baseline: nothing
// of Suyuan is in it.

import express from 'express';
import expressPouch from 'express-pouchdb';
import leveldb from 'pouchdb-adapter-leveldb';
import http from 'pouchdb-adapter-http';
import PouchDB from 'pouchdb-core';
import mapreduce from 'pouchdb-mapreduce';
import replication from 'pouchdb-replication';

const folder = process.argv[2];
if (!folder) {
  console.error('server.mjs: the folder for its data is missing');
  process.exit(2);
}
PouchDB.plugin(leveldb).plugin(http).plugin(mapreduce).plugin(replication);
const Kept = PouchDB.defaults({ prefix: `${folder}/` });
const app = express();
// Only what a replicating PouchDB needs: no admin pages, no log, no settings in the work folder.
app.use('/', expressPouch(Kept, { mode: 'minimumForPouchDB', inMemoryConfig: true }));
const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
