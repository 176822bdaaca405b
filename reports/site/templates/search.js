(function(){
var box=document.getElementById("find"),input=box.querySelector("input"),out=box.querySelector("output"),items=document.querySelectorAll(".everything li");
var words=[].map.call(items,function(item){return item.textContent.toLowerCase();});
box.hidden=false;
input.addEventListener("input",function(){
var wanted=input.value.trim().toLowerCase().split(/\s+/).filter(Boolean),shown=0;
items.forEach(function(item,i){
var hit=wanted.every(function(word){return words[i].indexOf(word)>=0;});
item.classList.toggle("gone",!hit);
if(hit)shown++;
});
out.textContent=wanted.length?shown+" of "+items.length:"";
});
})();
