-- A store without sites offers one that is none: Grafana would write `in ()` for all of no options.
select s.site
from mart.site as s
union all
select '-' as site
where not exists (select 1 from mart.site)
order by 1;
