-- How many commits a part of a log has had: one that moves no offset is told from one that was lost.
alter table op.log_position add column commits bigint default 0;
