-- One row a reading of a state (machine execution, door): the word that holds from then on, or a number sent for it.
create or replace view mart.state_change as
select
    p.site,
    p.asset,
    p.point,
    r.read_at,
    r.text as word,
    r.value
from raw.reading as r
inner join op.point as p on r.point_id = p.point_id
where p.kind = 'state' and position('@' in p.site) = 0;
