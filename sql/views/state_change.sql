-- One row a state (machine execution, door), time and word that was sent, which holds from then on, or number.
create or replace view mart.state_change as
select distinct
    p.site,
    p.asset,
    p.point,
    r.read_at,
    r.text as word,
    r.value
from raw.reading as r
inner join op.point as p on r.point_id = p.point_id
where p.kind = 'state' and position('@' in p.site) = 0;
