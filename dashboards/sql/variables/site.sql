select s.site
from mart.site as s
order by s.site;
