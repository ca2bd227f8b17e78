-- One row a meter: its energy. Meters stand behind one another, so that nothing may be added up here.
select
    i.point,
    sum(i.energy_kwh) as energy_kwh
from mart.energy_interval as i
where i.site in (${site:sqlstring}) and i.asset in (${asset:sqlstring}) and $__timeFilter(i.starts_at)
group by i.point
having sum(i.energy_kwh) > 0
order by energy_kwh desc, i.point asc
limit 12;
