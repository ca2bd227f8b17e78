-- One row a kind of decision about registers: how many there were.
select
    e.kind,
    count(*) as decisions
from mart.register_event as e
where e.site in (${site:sqlstring}) and $__timeFilter(e.happened_at)
group by e.kind
order by decisions desc, e.kind asc;
