-- One row a site: its time zone, and how many assets and points its file has.
create or replace view mart.site as
select
    p.site,
    min(p.time_zone) as time_zone,
    count(distinct p.asset) as assets,
    count(*) as points
from op.point as p
where p.kind <> 'derived' and position('@' in p.site) = 0
group by p.site;
