document.querySelectorAll("[data-copy]").forEach(function(box){
var button=document.createElement("button");
button.textContent="Copy";
button.onclick=function(){
getSelection().selectAllChildren(box.querySelector("pre"));
button.textContent=document.execCommand("copy")?"Copied":"Selected";
};
box.querySelector("p").append(" ",button);
});
document.querySelectorAll("[data-search]").forEach(function(box){
var input=box.querySelector("input"),out=box.querySelector("output"),rows=document.querySelectorAll("#"+box.dataset.search+" tbody tr");
box.hidden=false;
input.addEventListener("input",function(){
var wanted=input.value.trim().toLowerCase(),shown=0;
rows.forEach(function(row){
var hit=!wanted||row.textContent.toLowerCase().indexOf(wanted)>=0;
row.classList.toggle("gone",!hit);
if(hit)shown++;
});
out.textContent=wanted?shown+" of "+rows.length+" rows":"";
});
});
